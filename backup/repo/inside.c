#include "backup/repo/inside.h"

#include "backup/repo/inside_text.h"
#include "common/base/limits.h"

#include "common/base/banned.h"

static enum ark_rc keep_text(struct repo_keep *keep, const char *key, const char *text, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf there = { 0 };
	ark_buf_init(&there, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_keep_get(keep, key, 0, REPO_KEEP_ALL, &there, err);
	if (rc < 0 && err->kind != ARK_KIND_MISSING)
		return rc;
	if (rc == ARK_OK && ark_str_eq(ark_buf_view(&there), ark_str_z(text)))
		return ARK_OK;
	return repo_keep_put(keep, key, ark_str_z(text), REPO_KEEP_REPLACE, err);
}

enum ark_rc inside_keep(struct repo_keep *keep, bool encrypted, struct ark_err *err)
{
	if (encrypted)
		return keep_text(keep, "README", INSIDE_README_ENCRYPTED, err);
	enum ark_rc rc = keep_text(keep, "README", INSIDE_README, err);
	if (rc == ARK_OK)
		rc = keep_text(keep, "neutralise.sql", INSIDE_NEUTRALISE_SQL, err);
	return rc < 0 ? rc : keep_text(keep, "restore.sh", INSIDE_RESTORE_SH, err);
}
