/*
 * Why one pass over the names: in real zips the lists stand anywhere, and a re-zipped export has a
 * folder around it that only shows when all names were seen. Lists are read when met; if a shorter
 * root turns up later, what was read below the longer one is forgotten.
 */
#include "import/slack/export.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/io/archive.h"
#include "import/slack/body.h"
#include "import/slack/elements.h"
#include "import/slack/grid.h"
#include "import/slack/mend.h"
#include "import/slack/ts.h"

#include "common/base/banned.h"

static const struct {
	const char *name;
	int list; /* enum conv_list, or -1: users */
	bool marks_root;
} LISTS[] = {
	{ "users.json", -1, true },
	{ "org_users.json", -1, true },
	{ "channels.json", LIST_CHANNELS, true },
	{ "groups.json", LIST_GROUPS, true },
	{ "mpims.json", LIST_MPIMS, true },
	{ "dms.json", LIST_DMS, true },
};

void slack_export_init(struct slack_export *x)
{
	*x = (struct slack_export){ 0 };
	slack_people_init(&x->people);
}

void slack_export_release(struct slack_export *x)
{
	for (uint32_t i = 0; i < x->sources_count; i++)
		free(x->sources[i].path);
	free(x->sources);
	slack_people_release(&x->people);
	slack_convs_release(&x->convs);
	slack_grid_release(x);
	ark_map_release(&x->bodies);
	ark_pool_release(&x->strings);
	*x = (struct slack_export){ 0 };
}

static bool is_junk(struct ark_str name)
{
	if (ark_str_starts(name, ARK_LIT("__MACOSX/")) ||
	    ark_str_search(name, ARK_LIT("/__MACOSX/"), 0) != SIZE_MAX)
		return true;
	size_t slash = SIZE_MAX;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] == '/')
			slash = i;
	struct ark_str base = slash == SIZE_MAX ? name : ark_str_from(name, slash + 1);
	return ark_str_starts(base, ARK_LIT("._")) || ark_str_eqz(base, ".DS_Store") ||
	       ark_str_eqz(base, "Thumbs.db") || ark_str_eqz(base, "desktop.ini");
}

/* "YYYY-MM-DD.json" */
static bool is_day_name(struct ark_str base)
{
	static const char SHAPE[] = "dddd-dd-dd.json";
	if (base.len != sizeof(SHAPE) - 1)
		return false;
	for (size_t i = 0; i < base.len; i++) {
		char c = base.ptr[i];
		if (SHAPE[i] == 'd' ? c < '0' || c > '9' : c != SHAPE[i])
			return false;
	}
	return true;
}

enum slack_entry_kind slack_entry_kind(struct ark_str name, const struct slack_source *source,
                                       struct ark_str *folder)
{
	if (is_junk(name))
		return ENTRY_JUNK;
	if (!ark_str_starts(name, source->root))
		return ENTRY_OTHER;
	struct ark_str rel = ark_str_from(name, source->root.len), workspace;
	size_t scope = source->grid ? slack_grid_scope(rel, &workspace) : 0;
	struct ark_str whole = rel;
	rel = ark_str_from(rel, scope);
	size_t slash = ark_str_find(rel, '/', 0);
	if (slash == SIZE_MAX) {
		for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++)
			if (ark_str_eqz(rel, LISTS[i].name))
				return ENTRY_LIST;
		return ENTRY_OTHER;
	}
	if (ark_str_starts(rel, ARK_LIT("__uploads/")) || ark_str_starts(rel, ARK_LIT("__avatars/")))
		return ENTRY_BODY;
	struct ark_str base = ark_str_from(rel, slash + 1);
	if (ark_str_starts(base, ARK_LIT("attachments/")))
		return ENTRY_BODY;
	if (!is_day_name(base))
		return ENTRY_OTHER;
	*folder = ark_str_first(whole, scope + slash);
	return ENTRY_DAY;
}

/* ---- the lists ---- */

struct list_reader {
	struct slack_export *x;
	uint32_t source;
	const char *file;
	int list;
	struct json_doc *doc;
	struct ark_buf mended;
};

static enum ark_rc on_list_element(void *ctx, struct ark_str text, uint64_t offset, uint64_t len,
                                   enum slack_cut cut, struct ark_err *err)
{
	(void)err;
	struct list_reader *r = ctx;
	struct slack_source *src = &r->x->sources[r->source];
	struct ark_err why = { 0 };
	struct json_val root;
	if (cut != CUT_ELEMENT) {
		ark_err_set(&why, ARK_KIND_INPUT, cut == CUT_DAMAGED ? "not valid JSON" : "too large");
	} else if (slack_parse(r->doc, text, &r->mended, &root, &why) == ARK_OK) {
		if (json_type(root) != JSON_OBJECT || json_count(root) == 0) /* null, "", {} */
			return ARK_OK;
		bool ok = r->list < 0 ? slack_people_add(&r->x->people, root)
		                      : slack_convs_add(&r->x->convs, &r->x->people,
		                                        (enum conv_list)r->list, root);
		if (ok && r->list < 0)
			slack_grid_user(r->x, slack_people_find(&r->x->people, json_text(json_get(root, "id"))), root);
		if (ok)
			return ARK_OK;
		ark_err_set(&why, ARK_KIND_INPUT, "an entry without an id");
	}
	src->list_damage++;
	if (r->x->on_damage != NULL)
		r->x->on_damage(r->x->on_damage_ctx, r->source, r->file, offset, len, why.text);
	return ARK_OK;
}

static void list_reader_release(struct list_reader *r)
{
	json_doc_free(r->doc);
	ark_buf_release(&r->mended);
}

static enum ark_rc read_list(struct slack_export *x, uint32_t source, struct io_archive *a,
                             struct ark_str name, size_t which, struct ark_err *err)
{
	ark_auto(ark_freep) char *file = ark_strdup(name);
	ark_auto(ark_freep) char *chunk = ark_malloc(256u << 10);
	ark_auto(list_reader_release) struct list_reader r = { .x = x, .source = source, .file = file,
		                                               .list = LISTS[which].list };
	r.doc = json_doc_new();
	ark_buf_init(&r.mended, SLACK_MENDED_MAX);
	ark_auto(slack_elements_release) struct slack_elements cutter;
	slack_elements_init(&cutter, on_list_element, &r);
	for (bool more = true; more;) {
		size_t got;
		bool whole = io_archive_read(a, chunk, 256u << 10, &got, err) == ARK_OK;
		if (!whole) {
			x->sources[source].list_damage++;
			if (x->on_damage != NULL)
				x->on_damage(x->on_damage_ctx, source, file, cutter.at + got, 0, err->text);
		}
		enum ark_rc rc = slack_elements_feed(&cutter, ark_str_n(chunk, got), err);
		if (rc < 0)
			return rc;
		more = whole && got == 256u << 10;
	}
	if (LISTS[which].list < 0)
		x->sources[source].has_users = true;
	return slack_elements_end(&cutter, err);
}

/* ---- names ---- */

struct scan {
	struct ark_map folders; /* full path of a folder that holds day files, to their number */
	bool grid;
	bool root_known;
	char root[LIMIT_ENTRY_NAME * 4 + 1];
	size_t root_len;
};

static void scan_release(struct scan *s)
{
	ark_map_release(&s->folders);
}

/* Length of the folder part of `name`, with its slash. */
static size_t folder_len(struct ark_str name)
{
	size_t at = name.len;
	while (at > 0 && name.ptr[at - 1] != '/')
		at--;
	return at;
}

/* A shorter root turned up, in the first archive: what was read below the longer one is somebody else's. */
static void forget(struct slack_export *x, struct slack_source *src)
{
	slack_people_clear(&x->people);
	slack_convs_release(&x->convs);
	slack_grid_release(x);
	src->has_users = false;
}

static void take_root(struct slack_export *x, uint32_t source, struct scan *s, struct ark_str name, size_t len)
{
	if (s->root_known && source == 0)
		forget(x, &x->sources[source]);
	s->root_known = true;
	s->root_len = len;
	memcpy(s->root, name.ptr, len);
	s->root[len] = '\0';
}

/* Where "teams/" begins when `dir` is the folder of a workspace, "…teams/<folder>/", else SIZE_MAX. */
static size_t teams_at(struct ark_str dir)
{
	size_t parent = dir.len > 0 ? folder_len(ark_str_first(dir, dir.len - 1)) : 0;
	struct ark_str folder;
	if (parent < 6)
		return SIZE_MAX;
	size_t at = parent - 6;
	return (at == 0 || dir.ptr[at - 1] == '/') && slack_grid_scope(ark_str_from(dir, at), &folder) ==
	       dir.len - at ? at : SIZE_MAX;
}

/* A list in the folder of a workspace: the export begins where `teams/` lies. */
static enum ark_rc workspace_list(struct slack_export *x, uint32_t source, struct io_archive *a,
                                  struct scan *s, struct ark_str name, size_t teams, size_t which,
                                  struct ark_err *err)
{
	if (!s->root_known || teams < s->root_len)
		take_root(x, source, s, name, teams);
	else if (teams > s->root_len || memcmp(s->root, name.ptr, teams) != 0)
		return ARK_OK;
	s->grid = true;
	struct ark_str folder;
	(void)slack_grid_scope(ark_str_from(name, teams), &folder);
	uint32_t workspace = slack_grid_workspace(x, folder);
	if (workspace == 0)
		return ark_err_set(err, ARK_KIND_LIMIT, "'%s' holds more than %u workspaces",
		                   x->sources[source].path, LIMIT_WORKSPACES);
	slack_grid_enter(x, workspace);
	enum ark_rc rc = read_list(x, source, a, name, which, err);
	slack_grid_enter(x, 0);
	return rc;
}

static enum ark_rc scan_entry(struct slack_export *x, uint32_t source, struct io_archive *a,
                              struct scan *s, const struct io_entry *entry,
                              struct ark_err *err)
{
	struct slack_source *src = &x->sources[source];
	struct ark_str name = entry->name;
	size_t dir = folder_len(name);
	struct ark_str base = ark_str_from(name, dir);
	if (is_day_name(base) && dir > 0) {
		struct ark_str folder = ark_str_first(name, dir - 1);
		uint32_t n = ark_map_get(&s->folders, folder);
		ark_map_put(&s->folders, folder, n == ARK_MAP_NONE ? 1 : n + 1);
		x->day_bytes += entry->size_bytes > 0 ? (uint64_t)entry->size_bytes : 0;
		return ARK_OK;
	}
	for (size_t i = 0; i < sizeof(LISTS) / sizeof(LISTS[0]); i++) {
		if (!ark_str_eqz(base, LISTS[i].name))
			continue;
		size_t teams = teams_at(ark_str_first(name, dir));
		if (teams != SIZE_MAX)
			return workspace_list(x, source, a, s, name, teams, i, err);
		if (s->root_known && dir > s->root_len)
			return ARK_OK; /* deeper than the export's own: not one of its lists */
		if (!s->root_known || dir < s->root_len) {
			take_root(x, source, s, name, dir);
		} else if (memcmp(s->root, name.ptr, dir) != 0) {
			return ARK_OK; /* a second folder of the same depth: the first one is the export */
		}
		return read_list(x, source, a, name, i, err);
	}
	src->other_files++;
	struct ark_str id;
	if (slack_body_id(name, &id)) {
		src->body_files++;
		ark_map_put(&x->bodies, id, source);
	} else if (slack_avatar_id(name, &id)) {
		src->avatar_files++;
	}
	return ARK_OK;
}

/* No list at all: the shortest folder that holds folders of day files. */
static void guess_root(struct scan *s)
{
	for (uint32_t i = 0; i < s->folders.count; i++) {
		size_t dir = folder_len(ark_map_key(&s->folders, i));
		if (!s->root_known || dir < s->root_len) {
			s->root_known = true;
			s->root_len = dir;
			memcpy(s->root, ark_map_key(&s->folders, i).ptr, dir);
			s->root[dir] = '\0';
		}
	}
}

static void count_days(struct slack_export *x, struct slack_source *src, const struct scan *s, bool below)
{
	for (uint32_t i = 0; i < s->folders.count; i++) {
		struct ark_str folder = ark_map_key(&s->folders, i);
		if (!ark_str_starts(folder, ark_str_n(s->root, s->root_len)))
			continue;
		folder = ark_str_from(folder, s->root_len);
		struct ark_str workspace;
		size_t scope = s->grid ? slack_grid_scope(folder, &workspace) : 0;
		if (below != (scope > 0))
			continue;
		uint32_t number = scope > 0 ? slack_grid_workspace(x, workspace) : 0;
		if (scope > 0 && number == 0)
			continue;
		folder = ark_str_from(folder, scope);
		if (is_junk(folder) || ark_str_find(folder, '/', 0) != SIZE_MAX || folder.len == 0)
			continue;
		uint32_t files = s->folders.entries[i].value;
		slack_grid_enter(x, number);
		uint32_t at = slack_convs_folder(&x->convs, folder); /* may move the list */
		slack_grid_enter(x, 0);
		struct slack_conv *conv = &x->convs.list[at];
		conv->source = x->convs.source;
		conv->files += files;
		conv->files_left += files;
		src->day_files += files;
		x->day_files += files;
	}
}

static enum ark_rc open_one(struct slack_export *x, uint32_t source, struct ark_err *err)
{
	struct slack_source *src = &x->sources[source];
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(src->path, &a, err);
	if (rc < 0)
		return rc;
	ark_auto(scan_release) struct scan scan = { 0 };
	for (;;) {
		struct io_entry entry;
		rc = io_archive_next(a, &entry, err);
		if (rc == ARK_END)
			break;
		if (rc == ARK_STOP)
			return rc;
		src->entries++;
		if (rc == ARK_FAIL) {
			src->bad_entries++;
			continue;
		}
		if (entry.unsafe) {
			src->unsafe_names++;
			continue;
		}
		if (is_junk(entry.name))
			continue;
		rc = scan_entry(x, source, a, &scan, &entry, err);
		if (rc < 0)
			return rc;
	}
	if (!scan.root_known)
		guess_root(&scan);
	src->root = ark_pool_str(&x->strings, ark_str_n(scan.root, scan.root_len));
	src->grid = scan.grid;
	x->grid |= scan.grid;
	if (!scan.root_known) {
		ark_err_set(err, ARK_KIND_INPUT, "'%s' holds nothing of a Slack export", src->path);
		ark_err_hint(err, "expected are channels.json, users.json and folders with files named "
		                  "like 2024-05-01.json");
		return ARK_FAIL;
	}
	count_days(x, src, &scan, true); /* first: what has no folder there may have one at the root */
	count_days(x, src, &scan, false);
	return ARK_OK;
}

/* The last day that a day file of this archive is named after: tells which archive is the newer one
 * before a message was read. */
static enum ark_rc last_day(struct slack_source *src, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(src->path, &a, err);
	while (rc >= 0) {
		struct io_entry entry;
		rc = io_archive_next(a, &entry, err);
		if (rc == ARK_END)
			return ARK_OK;
		if (rc == ARK_FAIL) {
			rc = ARK_OK;
			continue;
		}
		struct ark_str base = ark_str_from(entry.name, rc == ARK_OK ? folder_len(entry.name) : 0);
		if (rc == ARK_OK && is_day_name(base) && memcmp(base.ptr, src->last_day, 10) > 0)
			memcpy(src->last_day, base.ptr, 10);
	}
	return rc;
}

#define A_DAY_MS 86400000 /* a time that is still to come tells nothing; clocks differ */

/* The greatest ts of a message in one day file. */
static void newest_in(struct ark_str text, struct json_doc *doc, struct ark_buf *mended, int64_t *newest_us)
{
	struct json_val root;
	struct ark_err ignored = { 0 };
	if (slack_parse(doc, text, mended, &root, &ignored) < 0 || json_type(root) != JSON_ARRAY)
		return;
	struct json_iter it = json_items(root);
	for (struct json_val v; json_next(&it, &v);) {
		int64_t us;
		if (json_type(v) == JSON_OBJECT && slack_ts_value(json_get(v, "ts"), &us) && us > *newest_us &&
		    us < (ark_time_now_ms() + A_DAY_MS) * 1000)
			*newest_us = us;
	}
}

#define DAY_LOOK (64u << 20) /* a larger file says how old it is by its name alone */

/* Two archives may end on the same day: their last messages tell. */
static enum ark_rc last_message(struct slack_source *src, int64_t *newest_us, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	ark_auto(ark_freep) char *text = ark_malloc(DAY_LOOK + JSON_PADDING);
	ark_auto(json_doc_freep) struct json_doc *doc = json_doc_new();
	ark_auto(ark_buf_release) struct ark_buf mended;
	ark_buf_init(&mended, SLACK_MENDED_MAX);
	enum ark_rc rc = io_archive_open(src->path, &a, err);
	while (rc >= 0) {
		struct io_entry entry;
		size_t got = 0;
		rc = io_archive_next(a, &entry, err);
		if (rc == ARK_END)
			return ARK_OK;
		if (rc == ARK_FAIL) {
			rc = ARK_OK;
			continue;
		}
		struct ark_str base = ark_str_from(entry.name, rc == ARK_OK ? folder_len(entry.name) : 0);
		if (rc == ARK_OK && is_day_name(base) && memcmp(base.ptr, src->last_day, 10) == 0 &&
		    io_archive_read(a, text, DAY_LOOK, &got, err) == ARK_OK)
			newest_in(ark_str_n(text, got), doc, &mended, newest_us);
	}
	return rc;
}

/* The oldest first; of two that are equally old the one that was named first. */
static enum ark_rc sort_sources(struct slack_export *x, struct ark_err *err)
{
	ark_auto(ark_freep) int64_t *age = ark_calloc(x->sources_count, sizeof(*age));
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < x->sources_count && rc == ARK_OK; i++) {
		rc = last_day(&x->sources[i], err);
		if (rc == ARK_OK)
			rc = last_message(&x->sources[i], &age[i], err);
	}
	for (uint32_t i = 1; i < x->sources_count && rc == ARK_OK; i++) {
		struct slack_source source = x->sources[i];
		int64_t own = age[i];
		uint32_t at = i;
		for (; at > 0 && age[at - 1] > own; at--) {
			x->sources[at] = x->sources[at - 1];
			age[at] = age[at - 1];
		}
		x->sources[at] = source;
		age[at] = own;
	}
	return rc;
}

enum ark_rc slack_export_open(struct slack_export *x, char *const *paths, uint32_t count,
                              struct ark_err *err)
{
	x->sources = ark_calloc(count, sizeof(*x->sources));
	x->sources_count = count;
	for (uint32_t i = 0; i < count; i++)
		x->sources[i].path = ark_strdupz(paths[i]);
	if (count > 1) {
		enum ark_rc rc = sort_sources(x, err);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = 0; i < count; i++) {
		x->convs.source = i;
		enum ark_rc rc = open_one(x, i, err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}
