/*
 * The file of a plan: which messages are to go, in portions that go together or not at all. Text:
 *
 *	{"matterark":"purge plan 1", ...}   one line of JSON: which database, what was asked for, counts, a sample
 *	C CHANNEL-ID
 *	U                                   a portion begins: a thread, or a message alone
 *	H ID UPDATE-AT EDIT-AT              a row of posts, an earlier text
 *	P ID UPDATE-AT EDIT-AT              a row of posts; what the portion hangs on stands first
 *	E SHA-256                           of everything before this line
 *
 * What was written down of a row is what must still hold when it goes. Not for deciding which: select.h.
 */
#ifndef PURGE_PLANFILE_H
#define PURGE_PLANFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/crypt/hash.h"
#include "common/json/small.h"

#define PURGE_PLAN_HEAD "purge plan 1"

struct plan_row {
	struct ark_str id;
	int64_t update_ms, edit_ms;
	bool is_earlier; /* H */
};

/* ---- writing: the body first, because the head holds its counts -------------------------------- */

void plan_channel_line(struct ark_buf *out, struct ark_str channel_id);
void plan_unit_line(struct ark_buf *out);
void plan_row_line(struct ark_buf *out, const struct plan_row *row);

/* Ids are ids and times are times: what does not fit is in no plan. */
bool plan_row_fits(struct ark_str channel_id, const struct plan_row *row);

struct io_spool;
/* Head (a line with its newline), body, hash, in a new file of mode 0600. `sha256` is what the last line says. */
enum ark_rc plan_write(const char *path, struct ark_str head, const struct io_spool *body, char sha256[CRYPT_SHA256_HEX],
                       struct ark_err *err);

/* ---- reading --------------------------------------------------------------------------------- */

enum plan_line_kind { PLAN_CHANNEL, PLAN_UNIT, PLAN_ROW };

struct plan_line {
	enum plan_line_kind kind;
	struct ark_str channel_id; /* CHANNEL; borrowed until the next line */
	struct plan_row row;       /* ROW; likewise */
};
/* A line of a body without its newline; false when it is none. */
bool plan_line_parse(struct ark_str text, struct plan_line *out);

struct plan;

/*
 * Open, and read through once: FAIL with kind REFUSED when it is no plan, or not as it was written; MISSING when
 * there is no such file. Memory does not depend on its length.
 */
enum ark_rc plan_open(const char *path, struct plan **out, struct ark_err *err);
void plan_close(struct plan *p); /* NULL is fine */
void plan_closep(struct plan **p); /* for ark_auto */
const struct json_small *plan_head(const struct plan *p);
struct ark_str plan_head_text(const struct plan *p);
const char *plan_sha256(const struct plan *p);
/* From the first line of the body again. */
enum ark_rc plan_rewind(struct plan *p, struct ark_err *err);
/* The next line; ARK_END behind the last. */
enum ark_rc plan_next(struct plan *p, struct plan_line *out, struct ark_err *err);

#endif
