/*
 * What makes the loaded database a test installation: the rules of backup/neutralise, local ones, known
 * passwords, masks, the proof; and its configuration. Not for where it is loaded: target.h.
 */
#ifndef BACKUP_RESTORE_TESTINST_H
#define BACKUP_RESTORE_TESTINST_H

#include "backup/restore/target.h"
#include "common/cli/option.h"
#include "common/repo/snapshot.h"

struct testinst_options {
	const char *site_url;
	const char *theme;         /* "RED", or a file with the JSON of a theme; NULL: RED */
	const char *rules;         /* folder of more rules: *.sql, *.json */
	bool keep_licence;
	const char *password_file; /* NULL: passwords stay as they are */
	struct ark_list as;        /* user names or e-mail addresses; none: everybody */
	bool mask, mask_text;
};

/* One line of the proof. */
struct testinst_proof {
	const char *kind;  /* "zero", "configuration", "table", "environment" */
	struct ark_str place, what;
	int64_t number;
};
typedef void testinst_take_fn(void *ctx, const struct testinst_proof *line);

struct testinst {
	const struct testinst_options *opt;
	const struct target *target;
	const struct repo_options *repo;
	const struct repo_contents *contents;
	const char *snapshot;
	const char *files;           /* folder of the copy, resolved; NULL: it has none, or a bucket */
	struct ark_str bucket;       /* JSON of FileSettings for a bucket; else NONE */
	testinst_take_fn *take;      /* gets the proof */
	void *ctx;
	/* out */
	char diagnostic_id[TARGET_ID];
	struct ark_buf config;       /* the copy's config.json; testinst_release frees it */
};

/* What can be read and found wrong before an hour of loading: files of theme, rules, password. */
enum ark_rc testinst_check(const struct testinst_options *opt, struct ark_err *err);
/* In one transaction. FAIL with kind DB, and nothing done, when a rule fails or the proof does not hold. */
enum ark_rc testinst_make(struct testinst *t, struct ark_err *err);
void testinst_release(struct testinst *t); /* also for ark_auto */

#endif
