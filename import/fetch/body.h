/*
 * The body of one file on its way from where it is read to the file store: in memory while it is
 * small, else in a temporary file without a name. And whether it is what it should be.
 */
#ifndef IMPORT_FETCH_BODY_H
#define IMPORT_FETCH_BODY_H

#include "common/base/flow.h"
#include "common/io/spool.h"

#define BODY_IN_MEMORY (4u << 20)

struct body {
	const char *temp_dir;
	struct ark_buf memory;   /* all of it, or the first BODY_IN_MEMORY bytes: then the spool has all */
	struct io_spool spool;
	uint64_t size_bytes;
	char *map;               /* body_map */
};

void body_init(struct body *b, const char *temp_dir);
void body_release(struct body *b); /* also for ark_auto */
/* Forget it; begin with the next. */
void body_reset(struct body *b);
enum ark_rc body_add(struct body *b, const char *ptr, size_t len, struct ark_err *err);
/* The first bytes, at most BODY_IN_MEMORY. */
struct ark_str body_start(const struct body *b);
/* All of it as stores take it; borrowed until reset. */
struct ark_body body_whole(const struct body *b);
/* All of it in one piece; borrowed until reset. STOP when it cannot be mapped. */
enum ark_rc body_map(struct body *b, struct ark_str *out, struct ark_err *err);

/*
 * Why these bytes are not the file, or NULL. A request with a dead token ends at a sign-in page, with
 * status 200; such pages also stand in archives, under the file's name. Canvases, posts and e-mails are HTML by right.
 *
 * size_bytes   as Slack says it, 0: it does not
 * may_be_html  the file's mode or type says so
 * Fact  docs/slack-quirks.md "Files"; fixtures/slack/file-body-is-login-page
 */
const char *body_fault(const struct body *b, int64_t size_bytes, bool may_be_html);
/* Looks like a sign-in page, whatever the file is. */
bool body_is_sign_in(struct ark_str start);

#endif
