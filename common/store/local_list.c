/*
 * Listing a folder in the order of whole paths, as an object store does: a folder sorts as its name
 * with the '/', so "a.txt" comes before "a/b" and after "a-b". One folder is in memory at a time per
 * level.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/pool.h"
#include "common/store/private.h"

#include "common/base/banned.h"

struct item {
	struct ark_str name; /* NUL-ended; a folder's with its '/' */
	bool is_folder;
};

struct items {
	struct ark_pool names;
	struct item *list;
	size_t count, cap;
};

struct listing {
	struct local *l;
	struct ark_str prefix, after;
	bool by_folder;
	store_each_fn *each;
	void *ctx;
	struct ark_buf path; /* of the folder being listed, with its '/' */
	unsigned depth;
};

static void items_release(struct items *items)
{
	ark_pool_release(&items->names);
	free(items->list);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static int by_name(const void *a, const void *b)
{
	return ark_str_cmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* Can anything below (or at) `path` be asked for? */
static bool wanted(const struct listing *li, struct ark_str path, bool is_folder)
{
	struct ark_str p = li->prefix;
	bool inside = ark_str_starts(path, p);
	if (!inside && !(is_folder && ark_str_starts(p, path)))
		return false;
	if (!ark_str_has(li->after) || ark_str_cmp(path, li->after) > 0)
		return true;
	return is_folder && ark_str_starts(li->after, path) && !(li->by_folder && inside);
}

static void add_item(struct items *items, const char *name, bool is_folder)
{
	char space[258];
	size_t n = strlen(name);
	if (items->count == items->cap) {
		items->cap = items->cap == 0 ? 64 : items->cap * 2;
		items->list = ark_realloc(items->list, items->cap, sizeof(items->list[0]));
	}
	memcpy(space, name, n);
	if (is_folder)
		space[n++] = '/';
	items->list[items->count++] =
	    (struct item){ ark_pool_str(&items->names, ark_str_n(space, n)), is_folder };
}

static unsigned char type_of(int fd, const struct dirent *e)
{
	struct stat st;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return DT_UNKNOWN;
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR : DT_LNK;
}

static enum ark_rc read_folder(struct listing *li, DIR *d, struct items *items, struct ark_err *err)
{
	size_t base = li->path.len;
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(d);
		if (e == NULL && errno != 0)
			return local_errno(li->l, errno, "list", li->path.data, err);
		if (e == NULL)
			break;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strncmp(e->d_name, STORE_TEMP, strlen(STORE_TEMP)) == 0)
			continue;
		unsigned char type = type_of(dirfd(d), e);
		if (type != DT_REG && type != DT_DIR)
			continue;
		ark_buf_z(&li->path, e->d_name);
		if (type == DT_DIR)
			ark_buf_c(&li->path, '/');
		bool want = wanted(li, ark_buf_view(&li->path), type == DT_DIR);
		ark_buf_cut(&li->path, base);
		if (want)
			add_item(items, e->d_name, type == DT_DIR);
	}
	if (items->count > 0)
		qsort(items->list, items->count, sizeof(items->list[0]), by_name);
	return ark_buf_ok(&li->path, "a path in the store", err);
}

static enum ark_rc list_folder(struct listing *li, int fd, struct ark_err *err);

static enum ark_rc list_below(struct listing *li, int fd, const struct item *item, struct ark_err *err)
{
	struct ark_str path = ark_buf_view(&li->path);
	if (li->by_folder && ark_str_starts(path, li->prefix)) {
		struct store_entry entry = { .path = path, .is_folder = true };
		return li->each(li->ctx, &entry, err);
	}
	ark_auto(ark_freep) char *name = ark_strdup(ark_str_first(item->name, item->name.len - 1));
	int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return ARK_OK; /* gone, or something else, since it was listed */
	if (below < 0)
		return local_errno(li->l, errno, "list", li->path.data, err);
	if (++li->depth > LIMIT_STORE_DEPTH) {
		close(below);
		return ark_err_set(err, ARK_KIND_LIMIT, "folders in '%s' are more than %u deep",
		                   li->l->base.name, (unsigned)LIMIT_STORE_DEPTH);
	}
	enum ark_rc rc = list_folder(li, below, err);
	li->depth--;
	return rc;
}

static enum ark_rc tell_file(struct listing *li, int fd, const struct item *item, struct ark_err *err)
{
	struct stat st;
	struct store_entry entry = { .path = ark_buf_view(&li->path) };
	if (fstatat(fd, item->name.ptr, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return ARK_OK;
	local_stat_fill(&st, &entry.stat);
	return li->each(li->ctx, &entry, err);
}

/* Takes `fd`. */
static enum ark_rc list_folder(struct listing *li, int fd, struct ark_err *err)
{
	ark_auto(items_release) struct items items = { 0 };
	ark_auto(closedirp) DIR *d = fdopendir(fd);
	if (d == NULL) {
		int e = errno;
		close(fd);
		return local_errno(li->l, e, "list", li->path.data, err);
	}
	enum ark_rc rc = read_folder(li, d, &items, err);
	size_t base = li->path.len;
	for (size_t i = 0; rc == ARK_OK && i < items.count; i++) {
		const struct item *item = &items.list[i];
		ark_buf_str(&li->path, item->name);
		rc = item->is_folder ? list_below(li, dirfd(d), item, err)
		                     : tell_file(li, dirfd(d), item, err);
		ark_buf_cut(&li->path, base);
		if (rc == ARK_OK)
			rc = store_interrupt(&li->l->base, err);
	}
	return rc;
}

enum ark_rc local_list(struct store *s, const char *prefix, const char *after, unsigned flags,
                       store_each_fn *each, void *ctx, struct ark_err *err)
{
	struct local *l = (struct local *)s;
	struct listing li = { .l = l, .prefix = ark_str_z(prefix), .after = ark_str_z(after),
		              .by_folder = (flags & STORE_BY_FOLDER) != 0, .each = each, .ctx = ctx };
	enum ark_rc rc = local_flush(l, err);
	if (rc < 0)
		return rc;
	/* start in the folder that the prefix lies in */
	const char *slash = strrchr(prefix, '/');
	struct ark_str start = ark_str_first(li.prefix, slash != NULL ? (size_t)(slash - prefix) : 0);
	ark_auto(ark_freep) char *folder = ark_strdup(start);
	int fd = local_openat(l, folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ARK_OK;
	if (fd < 0)
		return local_errno(l, errno, "list", folder, err);
	ark_buf_init(&li.path, 2 * LIMIT_STORE_PATH);
	ark_buf_str(&li.path, start);
	if (start.len > 0)
		ark_buf_c(&li.path, '/');
	rc = list_folder(&li, fd, err);
	ark_buf_release(&li.path);
	return rc;
}
