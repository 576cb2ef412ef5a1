#include "backup/repo/inside.h"

#include "backup/repo/inside_text.h"

#include "common/base/banned.h"

enum ark_rc inside_write(struct repo_keep *keep, bool encrypted, struct ark_err *err)
{
	enum ark_rc rc = repo_keep_put(keep, "README", ark_str_z(encrypted ? INSIDE_README_ENCRYPTED : INSIDE_README),
	                               REPO_KEEP_REPLACE, err);
	if (rc == ARK_OK && !encrypted)
		rc = repo_keep_put(keep, "restore.sh", ark_str_z(INSIDE_RESTORE_SH), REPO_KEEP_REPLACE, err);
	return rc;
}
