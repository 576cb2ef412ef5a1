/*
 * What names in a text mean: whose user name "@bob" is, and which channel "~town-square" is in a team. For
 * formats that turn them into something of their own.
 */
#ifndef EXPORT_FORMATS_NAMES_H
#define EXPORT_FORMATS_NAMES_H

#include "common/base/buf.h"
#include "common/base/map.h"
#include "export/record.h"

struct format_names {
	const struct export_run *run;
	struct ark_map users;    /* user name -> index in run->people */
	struct ark_map channels; /* "team id/name" -> index in run->channels */
	struct ark_buf key;
};

/* All people and channels of the run, which is borrowed. */
void format_names_init(struct format_names *n, const struct export_run *run);
void format_names_release(struct format_names *n);

/* `name` in lower case, without "@"; NULL: no such person. */
const struct export_person *format_names_user(const struct format_names *n, struct ark_str name);
/* `name` without "~"; NULL: no such channel in the team. */
const struct export_channel *format_names_channel(struct format_names *n, struct ark_str team_id,
                                                  struct ark_str name);

#endif
