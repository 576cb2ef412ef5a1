/* What the files of this room share: the posts on their way, the bodies, the lines of people. */
#ifndef IMPORT_BULK_PRIVATE_H
#define IMPORT_BULK_PRIVATE_H

#include "common/io/spool.h"
#include "common/io/zip.h"
#include "common/mm/bulk.h"
#include "import/load/load.h"
#include "import/translate/file.h"

/* ---- bodies (bodies.c) ---- */

/* A body in an archive, and what it looks like. */
struct bulk_body {
	struct ark_str id;
	uint32_t source;
	uint64_t entry;      /* the how-many-th of its archive */
	uint64_t size_bytes;
	bool damaged, html, sign_in;
	struct ark_str path; /* below data/, once a post shows it; none before */
};

struct bulk_bodies {
	struct bulk_body *list;
	uint32_t count;
	struct ark_map by_id;
	struct ark_pool strings;
};

typedef enum ark_rc bulk_tick_fn(void *ctx, uint64_t messages, uint64_t bytes, struct ark_err *err);

/* Look at all of them: what stands in an archive may be a sign-in page. */
enum ark_rc bulk_bodies_look(struct bulk_bodies *b, const struct slack_export *x, const char *temp_dir,
                             bulk_tick_fn *tick, void *ctx, struct ark_err *err);
void bulk_bodies_release(struct bulk_bodies *b);
/* The path of a file's body below data/, NONE when there is none that is the file. */
struct ark_str bulk_bodies_path(struct bulk_bodies *b, const struct file_entry *f);
/* Those that posts show, into the zip. */
enum ark_rc bulk_bodies_copy(const struct bulk_bodies *b, const struct slack_export *x, struct io_zip *zip,
                             uint64_t *files, uint64_t *bytes, bulk_tick_fn *tick, void *ctx,
                             struct ark_err *err);

/* ---- posts (posts.c) ---- */

/* Bytes that wait in memory first, then in a temporary file. */
struct bulk_wait {
	struct ark_buf memory;
	struct io_spool spool;
};
uint64_t bulk_wait_len(const struct bulk_wait *w);
enum ark_rc bulk_wait_read(const struct bulk_wait *w, uint64_t at, char *to, size_t len, struct ark_err *err);

struct bulk_posts;
struct bulk_posts *bulk_posts_new(struct load *l, struct bulk_bodies *bodies);
void bulk_posts_free(struct bulk_posts *p);
struct load_taker bulk_posts_taker(struct bulk_posts *p);
/* Lines of channels' posts, and of direct ones. */
const struct bulk_wait *bulk_posts_lines(const struct bulk_posts *p, bool direct, uint64_t *count);

/* ---- people and channels (people.c): lines appended, handed over now and then ---- */

struct bulk_lines {
	struct io_zip *zip;
	struct ark_buf text;
	uint64_t count;
};
/* One more line is complete. */
enum ark_rc bulk_line(struct bulk_lines *o, struct ark_err *err);
enum ark_rc bulk_put_channels(const struct load *l, struct bulk_lines *o, struct ark_err *err);
enum ark_rc bulk_put_people(struct load *l, struct bulk_lines *o, struct ark_err *err);
enum ark_rc bulk_put_directs(const struct load *l, struct bulk_lines *o, struct ark_err *err);

#endif
