/*
 * Configuration files. Syntax is in args.h. Several tools share one file, and none of them knows
 * the others' tables; so lines before the first section may only hold what several tools have.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/private.h"

#include "common/base/banned.h"

static const char *const TOOLS[] = { "matter-import", "matter-export", "matter-history",
	                             "matter-backup", "matter-purge" };

/* Options of more than one tool: fine before the first section even for a tool without them. */
static const char *const SHARED[] = {
	"database", "files",   "mattermost-config", "embedded", "notify",      "metrics",
	"temp-dir", "api-url", "api-token-file",    "team",     "s3-endpoint", "s3-region"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct file {
	const char *path;
	enum ark_rank rank; /* of the lines before the first section */
	struct ark_args *args;
	void *config;
	bool mine;    /* the current section is this tool's */
	bool section; /* behind the first section header */
	const char *secret; /* first option in it that is a secret */
};

static void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum ark_rc slurp(int fd, const char *path, struct ark_buf *out, struct ark_err *err)
{
	for (;;) {
		char *room = ark_buf_room(out, 4096);
		if (room == NULL)
			break;
		ssize_t n = read(fd, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read configuration file '%s'",
					     path);
		if (n == 0)
			break;
		out->len += (size_t)n;
	}
	if (out->failed || memchr(out->data, '\0', out->len) != NULL)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no configuration file", path);
	return ARK_OK;
}

static enum ark_rc bad_section(struct file *f, struct ark_str name, struct ark_err *err)
{
	size_t near = ark_nearest(name, TOOLS, COUNT(TOOLS));
	ark_err_set(err, ARK_KIND_USAGE, "unknown section '%.*s'", ARK_FMT(name));
	if (near != SIZE_MAX)
		ark_err_hint(err, "did you mean [%s]?", TOOLS[near]);
	else
		ark_err_hint(err, "sections are named after the tools, as in [%s]",
		             f->args->tool->name);
	return ARK_FAIL;
}

static enum ark_rc read_section(struct file *f, struct ark_str line, struct ark_err *err)
{
	size_t end = ark_str_find(line, ']', 0);
	if (end == SIZE_MAX || end != line.len - 1)
		return ark_err_set(err, ARK_KIND_USAGE, "a section header is not closed by ']'");
	struct ark_str name = ark_str_trim(ark_str_n(line.ptr + 1, end - 1));
	f->section = true;
	f->mine = ark_str_eqz(name, f->args->tool->name);
	for (size_t i = 0; i < COUNT(TOOLS); i++)
		if (ark_str_eqz(name, TOOLS[i]))
			return ARK_OK;
	return f->mine ? ARK_OK : bad_section(f, name, err);
}

/* Without a comment at its end. */
static struct ark_str bare_value(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '#' && (i == 0 || s.ptr[i - 1] == ' ' || s.ptr[i - 1] == '\t'))
			return ark_str_trim(ark_str_first(s, i));
	return s;
}

/* `text` begins behind the opening quote. */
static enum ark_rc quoted_value(struct ark_str text, struct ark_buf *out, struct ark_err *err)
{
	size_t i = 0;
	for (; i < text.len && text.ptr[i] != '"'; i++) {
		if (text.ptr[i] == '\\' && i + 1 < text.len &&
		    (text.ptr[i + 1] == '"' || text.ptr[i + 1] == '\\'))
			i++;
		ark_buf_c(out, text.ptr[i]);
	}
	if (i == text.len)
		return ark_err_set(err, ARK_KIND_USAGE, "a value is not closed by '\"'");
	struct ark_str rest = ark_str_trim(ark_str_from(text, i + 1));
	if (rest.len > 0 && rest.ptr[0] != '#')
		return ark_err_set(err, ARK_KIND_USAGE, "something stands behind the closing '\"'");
	return ARK_OK;
}

static bool is_shared(struct ark_str key)
{
	for (size_t i = 0; i < COUNT(SHARED); i++)
		if (ark_str_eqz(key, SHARED[i]))
			return true;
	return false;
}

static enum ark_rc unknown_key(struct file *f, struct ark_str key, struct ark_err *err)
{
	const char *words[256];
	size_t count = 0;
	for (size_t i = 0; i < ark_rows(f->args->tool) && count < 256; i++) {
		const struct ark_option *o = ark_row(f->args->tool, i, NULL);
		if (o->type != ARK_HEADING &&
		    (o->flags & (ARK_HIDDEN | ARK_ONLY_ARGV | ARK_NOT_FILE)) == 0)
			words[count++] = o->name;
	}
	size_t near = ark_nearest(key, words, count);
	ark_err_set(err, ARK_KIND_USAGE, "unknown key '%.*s'", ARK_FMT(key));
	if (near != SIZE_MAX)
		ark_err_hint(err, "did you mean '%s'?", words[near]);
	else if (!f->section)
		ark_err_hint(err,
			     "an option of another tool belongs into the section of that tool, "
			     "as in [matter-backup]");
	else
		ark_err_hint(err, "'%s --help' lists the options", f->args->tool->name);
	return ARK_FAIL;
}

static enum ark_rc apply(struct file *f, struct ark_str key, const char *text, unsigned line,
                         struct ark_err *err)
{
	struct ark_use use = { .text = text };
	use.row = ark_args_find(f->args->tool, key, &use.negated);
	if (use.row == SIZE_MAX && !f->section && is_shared(key))
		return ARK_OK;
	if (use.row == SIZE_MAX)
		return unknown_key(f, key, err);
	const struct ark_option *o = ark_row(f->args->tool, use.row, NULL);
	if ((o->flags & (ARK_ONLY_ARGV | ARK_NOT_FILE)) != 0)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' cannot stand in a configuration file",
		                   o->name);
	if ((o->flags & ARK_SECRET) != 0 && f->secret == NULL)
		f->secret = o->name;
	use.origin.rank = f->rank + (f->section ? 1 : 0);
	use.origin.text = ark_args_text(f->args, "%s line %u", f->path, line);
	if (f->args->origins[use.row].rank > use.origin.rank)
		return ARK_OK; /* a line before the sections, after this tool's in the same file */
	enum ark_rc rc = ark_args_use(f->args, f->config, &use, err);
	return rc < 0 ? ark_err_in(err, rc, "'%s'", o->name) : rc;
}

static enum ark_rc read_line(struct file *f, struct ark_str line, unsigned number,
                             struct ark_err *err)
{
	line = ark_str_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return ARK_OK;
	if (line.ptr[0] == '[')
		return read_section(f, bare_value(line), err);
	size_t eq = ark_str_find(line, '=', 0);
	if (eq == SIZE_MAX || eq == 0) {
		ark_err_set(err, ARK_KIND_USAGE, "neither 'key = value' nor '[section]'");
		ark_err_hint(err, "a flag is switched on by 'key = yes'");
		return ARK_FAIL;
	}
	struct ark_str key = ark_str_trim(ark_str_first(line, eq));
	struct ark_str rest = ark_str_trim(ark_str_from(line, eq + 1));
	ark_auto(ark_buf_release) struct ark_buf value;
	ark_buf_init(&value, LIMIT_CONFIG_FILE);
	if (rest.len > 0 && rest.ptr[0] == '"') {
		enum ark_rc rc = quoted_value(ark_str_from(rest, 1), &value, err);
		if (rc < 0)
			return rc;
	} else {
		ark_buf_str(&value, bare_value(rest));
	}
	if (f->section && !f->mine)
		return ARK_OK;
	const char *text = ark_args_hold(f->args, ark_strdup(ark_buf_view(&value)));
	return apply(f, key, text, number, err);
}

static void warn_if_open(struct file *f, const struct stat *st)
{
	if (f->secret == NULL || (st->st_mode & S_IROTH) == 0)
		return;
	const char *text = ark_args_text(f->args, "'%s' holds '%s' and can be read by everybody on "
	                                 "this machine; continuing (chmod 600 '%s')",
	                                 f->path, f->secret, f->path);
	ark_list_add(&f->args->warnings, text, f->args);
}

enum ark_rc ark_config_read(const char *path, enum ark_rank rank, bool must, struct ark_args *args,
                            void *config, struct ark_err *err)
{
	struct file f = { .path = path, .rank = rank, .args = args, .config = config };
	struct stat st;
	ark_auto(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && !must && (errno == ENOENT || errno == ENOTDIR))
		return ARK_OK;
	if (fd < 0 || fstat(fd, &st) < 0) {
		ark_err_errno(err, errno, "cannot read configuration file '%s'", path);
		err->kind = ARK_KIND_USAGE;
		return ARK_FAIL;
	}
	ark_auto(ark_buf_release) struct ark_buf all;
	ark_buf_init(&all, LIMIT_CONFIG_FILE);
	enum ark_rc rc = slurp(fd, path, &all, err);
	if (rc < 0)
		return rc;
	struct ark_str rest = ark_buf_view(&all);
	if (ark_str_starts(rest, ARK_LIT("\xEF\xBB\xBF")))
		rest = ark_str_from(rest, 3);
	for (unsigned number = 1; rest.len > 0; number++) {
		size_t end = ark_str_find(rest, '\n', 0);
		rc = read_line(&f, ark_str_first(rest, end), number, err);
		if (rc < 0)
			return ark_err_in(err, rc, "%s line %u", path, number);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
	}
	warn_if_open(&f, &st);
	return ARK_OK;
}
