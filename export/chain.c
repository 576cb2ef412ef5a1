#include "export/chain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/base/fail.h"
#include "common/json/out.h"
#include "common/json/value.h"
#include "export/bag.h"
#include "export/compare.h"
#include "export/series.h"
#include "export/upload.h"
#include "export/state.h"

#include "common/base/banned.h"

void export_chain_release(struct export_chain *c)
{
	export_folder_close(c->previous);
	if (c->number > 0) {
		ark_buf_release(&c->group);
		ark_buf_release(&c->out);
	}
}

/* --- which run --------------------------------------------------------------------------------- */

static bool leave_nothing_out(struct ark_str key)
{
	(void)key;
	return false;
}

/* The scope of a run, equal for equal scopes. */
static enum ark_rc flat_scope(struct ark_buf *text, const char *member, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(json_doc_freep) struct json_doc *doc = json_doc_new();
	struct json_val root;
	size_t len = text->len;
	if (ark_buf_room(text, JSON_PADDING) == NULL)
		return ark_buf_ok(text, "run.json", err);
	enum ark_rc rc = json_doc_parse(doc, text->data, len, &root, err);
	if (rc == ARK_OK)
		json_flatten(json_get(root, member), leave_nothing_out, out);
	return rc;
}

static enum ark_rc same_scope(struct export_app *a, const struct export_folder *previous, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf before, now, flat_before, flat_now;
	ark_buf_init(&before, 64u << 20);
	ark_buf_init(&now, 1u << 20);
	ark_buf_init(&flat_before, 4u << 20);
	ark_buf_init(&flat_now, 4u << 20);
	struct json_out o;
	json_out_begin(&o, &now, false);
	json_out_open(&o, NULL);
	export_scope_json(&o, a);
	json_out_end(&o);
	enum ark_rc rc = flat_scope(&now, "scope", &flat_now, err);
	if (rc == ARK_OK)
		rc = export_folder_small(previous, "run.json", &before, err);
	if (rc == ARK_OK)
		rc = flat_scope(&before, "scope", &flat_before, err);
	if (rc == ARK_OK && !ark_str_eq(ark_buf_view(&flat_before), ark_buf_view(&flat_now))) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' was made with other options about what is exported",
		            export_folder_name(previous));
		ark_err_hint(err, "what left the scope would look purged; begin another series in a new folder");
		return ARK_FAIL;
	}
	return rc;
}

static enum ark_rc open_previous(struct export_app *a, struct export_chain *c, const struct export_folder *f,
                                 unsigned last, struct ark_err *err)
{
	char name[EXPORT_RUN_NAME];
	export_run_name(last, name);
	enum ark_rc rc = export_folder_inside(f, name, &c->previous, err);
	if (rc == ARK_OK)
		rc = export_tagmanifest_sha256(c->previous, c->previous_sha256, err);
	if (rc == ARK_OK)
		rc = export_bag_info_value(c->previous, "Bag-Group-Identifier", &c->group, err);
	return rc == ARK_OK ? same_scope(a, c->previous, err) : rc;
}

static enum ark_rc new_group(struct export_chain *c, struct ark_err *err)
{
	unsigned char random[16];
	char hex[2 * sizeof(random) + 1];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return ark_err_errno(err, errno, "cannot get random numbers");
	crypt_hex(random, sizeof(random), hex);
	ark_buf_z(&c->group, hex);
	return ARK_OK;
}

static enum ark_rc make_series(const char *dir, struct ark_err *err)
{
	int failed = ark_fail_step("make the folder of a series");
	if (failed != 0 || (mkdir(dir, 0700) != 0 && errno != EEXIST))
		return ark_err_errno(err, failed != 0 ? failed : errno, "cannot make folder '%s'", dir);
	return ARK_OK;
}

enum ark_rc export_chain_open(struct export_app *a, struct export_chain *c, struct ark_err *err)
{
	const char *dir = a->config->out;
	ark_buf_init(&c->group, 4096);
	ark_buf_init(&c->out, 65536);
	c->number = 1;
	enum ark_rc rc = export_is_bucket(dir) ? ARK_OK : make_series(dir, err);
	ark_auto(export_folder_closep) struct export_folder *f = NULL;
	struct export_series s;
	if (rc == ARK_OK)
		rc = export_folder_open(dir, &a->config->s3, &f, err);
	if (rc == ARK_OK)
		rc = export_series_look(f, &s, err);
	if (rc == ARK_OK && s.alone) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is a single export, not a series", dir);
		ark_err_hint(err, "--incremental wants a folder of its own; its first run is a complete one");
		return ARK_FAIL;
	}
	if (rc == ARK_OK && s.last > 0)
		rc = open_previous(a, c, f, s.last, err);
	else if (rc == ARK_OK)
		rc = new_group(c, err);
	if (rc < 0)
		return rc;
	char name[EXPORT_RUN_NAME];
	c->number = s.last + 1;
	export_run_name(c->number, name);
	ark_buf_fmt(&c->out, "%s/%s", dir, name);
	return ARK_OK;
}

/* --- comparing --------------------------------------------------------------------------------- */

/* The state is what the tag manifest of its run says it is. */
static enum ark_rc check_old(struct export_stream *before, const struct export_folder *previous,
                             struct ark_err *err)
{
	unsigned char digest[CRYPT_SHA256_BYTES];
	char line[CRYPT_SHA256_HEX + 64];
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	export_stream_sha256(before, digest);
	crypt_hex(digest, sizeof(digest), line);
	snprintf(line + CRYPT_SHA256_HEX - 1, sizeof(line) - CRYPT_SHA256_HEX, "  %s\n", EXPORT_STATE_FILE);
	enum ark_rc rc = export_folder_small(previous, EXPORT_TAGMANIFEST, &text, err);
	if (rc == ARK_OK && ark_str_search(ark_buf_view(&text), ark_str_z(line), 0) == SIZE_MAX)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s/%s' was changed", export_folder_name(previous),
		                   EXPORT_STATE_FILE);
	return rc;
}

static enum ark_rc write_state(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	return export_file_write(ctx, data, len, err);
}

enum ark_rc export_chain_compare(struct export_app *a, struct export_chain *c, struct ark_err *err)
{
	ark_auto(export_file_drop) struct export_file *state = NULL;
	ark_auto(export_stream_closep) struct export_stream *before = NULL;
	enum ark_rc rc = export_file_begin(a->out, EXPORT_STATE_FILE, EXPORT_ZSTD, &state, err);
	if (rc == ARK_OK && c->previous != NULL)
		rc = export_stream_open(c->previous, EXPORT_STATE_FILE, true, &before, err);
	struct export_state_place place = { before, write_state, state };
	if (rc == ARK_OK)
		rc = export_compare(a, &place, err);
	if (rc == ARK_OK)
		rc = export_file_end(&state, err);
	if (rc < 0 || c->previous == NULL)
		return rc;
	rc = check_old(before, c->previous, err);
	return rc < 0 ? ark_err_in(err, rc, "comparing with the run before") : ARK_OK;
}
