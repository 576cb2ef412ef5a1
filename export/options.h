/* The options of matter-export as one struct, filled from the tables in options.c. */
#ifndef EXPORT_OPTIONS_H
#define EXPORT_OPTIONS_H

#include "common/cli/args.h"
#include "common/mm/place.h"
#include "common/notify/notify.h"
#include "common/store/store.h"

enum export_command {
	COMMAND_RUN,
	COMMAND_VERIFY,
	COMMAND_LIST,
	COMMAND_KEYGEN,
	COMMAND_MERGE,
};

enum { ATTACHMENTS_NONE, ATTACHMENTS_REFERENCE, ATTACHMENTS_COPY };

struct export_config {
	struct notify_options notify;
	struct mm_place_options place;
	struct store_s3_options s3;
	const char *out;
	struct ark_list formats;
	struct ark_list teams, channels, users, match;
	int64_t context;
	struct ark_when since, until;
	bool direct;
	bool no_deleted;
	int attachments;
	bool incremental;
	const char *shard;
	const char *snapshot;
	int64_t jobs; /* 0: one per processor */
	bool dry_run;
	bool evidence;
	const char *sign;
	const char *password_file;
	const char *timestamp;
	const char *timestamp_ca; /* verify: certificates of authorities that count */
	const char *public_key; /* verify: file or text of the key */
	bool no_password;       /* keygen */
};

extern const struct ark_tool EXPORT_TOOL;

#endif
