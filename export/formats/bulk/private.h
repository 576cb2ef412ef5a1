/*
 * What the files of the bulk format share: data/bulk/export.zip, a file for `mmctl import`, with
 * import.jsonl and, with --attachments copy, bodies below data/.
 *
 * Posts come first but stand last in the file: a channel's posts wait as JSON objects until the channel is
 * complete, its lines until everything is. Both wait in temporary files.
 *
 * Fact  docs/mattermost-facts.md "Bulk import"
 */
#ifndef EXPORT_FORMATS_BULK_PRIVATE_H
#define EXPORT_FORMATS_BULK_PRIVATE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/pool.h"
#include "common/db/conn.h"
#include "common/io/spool.h"
#include "common/io/zip.h"
#include "common/mm/bulk.h"
#include "export/formats/thread.h"
#include "export/out.h"
#include "export/record.h"

#define BULK_WINDOW 100000u /* threads that are put together at once */
#define BULK_BUFFER (96u << 20)

/* A post that waits; its object lies in `objects`. */
struct bulk_entry {
	struct thread_node node;
	uint64_t at;
	uint32_t len;
	uint32_t number; /* of the channel's posts */
};

struct bulk_file {
	const struct export_run *run;
	struct ark_pool strings;
	struct ark_str *names;      /* of run->people: as a server takes them */
	struct ark_map channels;    /* id -> index in run->channels, those that have a line */
	/* the channel */
	bool takes;                 /* its posts have a place */
	struct mm_bulk_place place;
	struct ark_str members[MM_GROUP_MEMBERS_MAX];
	struct io_spool objects, entries;
	uint32_t entries_count;
	/* complete lines: of channels, of direct ones; bodies for the zip */
	struct io_spool posts[2], bodies;
	struct mm_bulk_reaction *reactions;
	size_t reactions_cap;
	/* the archive */
	struct export_file *file;
	struct io_zip *zip;
	struct ark_buf object, line, key, scratch;
};

void bulk_note(struct bulk_file *b, const char *reason, uint64_t n);
struct ark_str bulk_name(const struct bulk_file *b, const struct export_person *p);
/* The two of a direct channel, by its name; the same twice for notes to oneself. False: not known. */
bool bulk_pair(const struct bulk_file *b, const struct export_channel *c, const struct export_person *pair[2]);

/* --- posts.c --- */
enum ark_rc bulk_posts_add(struct bulk_file *b, const struct export_record *r, struct ark_err *err);
/* The channel is through: its lines. */
enum ark_rc bulk_posts_flush(struct bulk_file *b, struct ark_err *err);

/* --- bodies.c --- */
/* The path of a copied attachment below data/, at the end of `path`; its body follows at the end. */
enum ark_rc bulk_body_add(struct bulk_file *b, const struct export_attachment *f, struct ark_buf *path,
                          struct ark_err *err);
enum ark_rc bulk_bodies_put(struct bulk_file *b, struct ark_err *err);

/* --- people.c: lines into the archive --- */
/* b->line into the archive; empty afterwards. */
enum ark_rc bulk_line_put(struct bulk_file *b, struct ark_err *err);
void bulk_names_make(struct bulk_file *b);
enum ark_rc bulk_places_put(struct bulk_file *b, struct ark_err *err);
enum ark_rc bulk_people_put(struct bulk_file *b, struct ark_err *err);
enum ark_rc bulk_directs_put(struct bulk_file *b, struct ark_err *err);

#endif
