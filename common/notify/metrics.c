/*
 * Samples of one metric must stand together behind its HELP and TYPE (Fact  Prometheus, exposition
 * formats, "Grouping and sorting"). So the old file is taken apart into samples, ours are replaced, and
 * all are written anew, metric by metric. What is no sample of ours (no matterark_ in front) is dropped:
 * the file is ours as a whole.
 */
#include "common/notify/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/flow.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/io/publish.h"

#include "common/base/banned.h"

#define OURS "matterark_"
#define SAMPLES_MAX 4096 /* in LIMIT_METRICS bytes there is no room for more that are ours */

/* One line: `name{labels} value`. */
struct sample {
	struct ark_str name, labels, value;
	bool owned; /* about the command that has just run */
};

struct table {
	struct sample samples[SAMPLES_MAX];
	size_t count;
	struct ark_buf text; /* holds what is new; never grows beyond what it was given */
};

static const struct {
	const char *name, *help;
} KNOWN[] = {
	{ OURS "info", "Version of the tool that ran last." },
	{ OURS "last_run_timestamp_seconds", "When the last run ended." },
	{ OURS "last_run_duration_seconds", "How long the last run took." },
	{ OURS "last_run_exit_code", "Exit code of the last run; 0 and 3 are runs that did their work." },
	{ OURS "last_success_timestamp_seconds", "When the last run that did its work ended; 0: never." },
};

static const char *help_of(struct ark_str name)
{
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		if (ark_str_eqz(name, KNOWN[i].name))
			return KNOWN[i].help;
	}
	return "Counted by the last run that did its work.";
}

/* --- reading ----------------------------------------------------------------------------------- */

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool all_of(struct ark_str s, bool (*is)(char))
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is(s.ptr[i]))
			return false;
	}
	return s.len > 0;
}

static bool figure_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

static bool label_char(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '{' && c != '}' && c != ',';
}

/* `name="value",name="value"`: a line that only looks like one would make the collector refuse the file. */
static bool read_labels(struct ark_str labels)
{
	for (size_t end = 0; end != SIZE_MAX;) {
		end = ark_str_find(labels, ',', 0);
		struct ark_str one = ark_str_first(labels, end);
		size_t equals = ark_str_find(one, '=', 0);
		struct ark_str value = equals != SIZE_MAX ? ark_str_from(one, equals + 1) : ARK_STR_NONE;
		if (value.len < 3 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"' ||
		    !all_of(ark_str_first(one, equals), name_char) ||
		    !all_of(ark_str_n(value.ptr + 1, value.len - 2), label_char))
			return false;
		if (end != SIZE_MAX)
			labels = ark_str_from(labels, end + 1);
	}
	return true;
}

/* What we write ourselves, no more. */
static bool read_sample(struct ark_str line, struct sample *out)
{
	size_t open = ark_str_find(line, '{', 0);
	size_t close = open != SIZE_MAX ? ark_str_find(line, '}', open) : SIZE_MAX;
	if (!ark_str_starts(line, ARK_LIT(OURS)) || close == SIZE_MAX)
		return false;
	out->name = ark_str_first(line, open);
	out->labels = ark_str_n(line.ptr + open + 1, close - open - 1);
	out->value = ark_str_trim(ark_str_from(line, close + 1));
	size_t dot = ark_str_find(out->value, '.', 0);
	bool figure = dot != 0 && (dot == SIZE_MAX || ark_str_find(out->value, '.', dot + 1) == SIZE_MAX);
	return all_of(out->name, name_char) && read_labels(out->labels) && all_of(out->value, figure_char) && figure &&
	       out->value.len <= 32;
}

static void add(struct table *t, struct sample s)
{
	for (size_t i = 0; i < t->count; i++) {
		if (ark_str_eq(t->samples[i].name, s.name) && ark_str_eq(t->samples[i].labels, s.labels)) {
			t->samples[i] = s;
			return;
		}
	}
	if (t->count < SAMPLES_MAX)
		t->samples[t->count++] = s;
}

static void read_old(struct table *t, struct ark_str old, struct ark_str ours)
{
	while (old.len > 0) {
		size_t end = ark_str_find(old, '\n', 0);
		struct ark_str line = ark_str_trim(ark_str_first(old, end));
		struct sample s = { 0 };
		old = end == SIZE_MAX ? ARK_STR_NONE : ark_str_from(old, end + 1);
		if (!read_sample(line, &s))
			continue;
		s.owned = ark_str_starts(s.labels, ours) &&
		          (s.labels.len == ours.len || s.labels.ptr[ours.len] == ',');
		add(t, s);
	}
}

/* --- what is new ------------------------------------------------------------------------------- */

static struct ark_str keep(struct table *t, size_t from)
{
	return ark_str_n(t->text.data + from, t->text.len - from);
}

static void put(struct table *t, const char *name, struct ark_str labels, const char *value)
{
	struct sample s = { .labels = labels, .owned = true };
	size_t from = t->text.len;
	ark_buf_z(&t->text, name);
	s.name = keep(t, from);
	from = t->text.len;
	ark_buf_z(&t->text, value);
	s.value = keep(t, from);
	add(t, s);
}

static void put_u64(struct table *t, const char *name, struct ark_str labels, uint64_t value)
{
	char number[32];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)value);
	put(t, name, labels, number);
}

static bool has(const struct table *t, const char *name, struct ark_str labels)
{
	for (size_t i = 0; i < t->count; i++) {
		if (ark_str_eqz(t->samples[i].name, name) && ark_str_eq(t->samples[i].labels, labels))
			return true;
	}
	return false;
}

/* Of other versions of the tool. */
static void drop_info(struct table *t)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->count; i++) {
		if (!t->samples[i].owned || !ark_str_eqz(t->samples[i].name, KNOWN[0].name))
			t->samples[kept++] = t->samples[i];
	}
	t->count = kept;
}

static void put_counts(struct table *t, const struct notify_run *run, struct ark_str labels)
{
	for (size_t i = 0; i < run->count_count && i < LIMIT_NOTIFY_COUNTS; i++) {
		char name[128];
		snprintf(name, sizeof(name), OURS "%s", run->counts[i].name);
		put_u64(t, name, labels, run->counts[i].value);
	}
}

static void put_run(struct table *t, const struct notify_run *run, const struct notify_moment *at,
                    struct ark_str labels)
{
	const char *success = KNOWN[4].name;
	int64_t took = at->now_ms > run->begin_ms ? at->now_ms - run->begin_ms : 0;
	char seconds[32];
	size_t from = t->text.len;
	ark_buf_str(&t->text, labels);
	ark_buf_fmt(&t->text, ",version=\"%s\"", run->version != NULL ? run->version : "");
	struct ark_str with_version = keep(t, from);
	drop_info(t);
	put_u64(t, KNOWN[0].name, with_version, 1);
	put_u64(t, KNOWN[1].name, labels, (uint64_t)at->now_ms / 1000);
	snprintf(seconds, sizeof(seconds), "%lld.%03lld", (long long)took / 1000, (long long)took % 1000);
	put(t, KNOWN[2].name, labels, seconds);
	put_u64(t, KNOWN[3].name, labels, (uint64_t)run->code);
	if (notify_success(run->code)) {
		put_u64(t, success, labels, (uint64_t)at->now_ms / 1000);
		put_counts(t, run, labels);
	} else if (!has(t, success, labels)) {
		put_u64(t, success, labels, 0);
	}
}

/* --- writing ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	int n = ark_str_cmp(x->name, y->name);
	return n != 0 ? n : ark_str_cmp(x->labels, y->labels);
}

void notify_metrics_render(struct ark_str old, const struct notify_run *run, const struct notify_moment *at,
                           struct ark_buf *out)
{
	ark_auto(ark_freep) struct table *t = ark_calloc(1, sizeof(*t));
	ark_buf_init(&t->text, LIMIT_NOTICE);
	/* views into it must not move */
	if (ark_buf_room(&t->text, LIMIT_NOTICE) == NULL)
		ark_bug("no room for %u bytes", LIMIT_NOTICE);
	ark_buf_fmt(&t->text, "tool=\"%s\",command=\"%s\"", run->tool, run->command);
	struct ark_str labels = ark_buf_view(&t->text);
	read_old(t, old, labels);
	put_run(t, run, at, labels);
	qsort(t->samples, t->count, sizeof(t->samples[0]), by_name);
	for (size_t i = 0; i < t->count; i++) {
		const struct sample *s = &t->samples[i];
		if (i == 0 || !ark_str_eq(s->name, t->samples[i - 1].name)) {
			ark_buf_fmt(out, "# HELP %.*s %s\n", ARK_FMT(s->name), help_of(s->name));
			ark_buf_fmt(out, "# TYPE %.*s gauge\n", ARK_FMT(s->name));
		}
		ark_buf_fmt(out, "%.*s{%.*s} %.*s\n", ARK_FMT(s->name), ARK_FMT(s->labels), ARK_FMT(s->value));
	}
	out->failed = out->failed || t->text.failed;
	ark_buf_release(&t->text);
}

/* Nothing when there is no file. */
static enum ark_rc read_file(const char *path, struct ark_buf *out, mode_t *mode, struct ark_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 && errno == ENOENT)
		return ARK_OK;
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot read '%s'", path);
	enum ark_rc rc = ARK_OK;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)LIMIT_METRICS) {
		rc = ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no file with metrics", path);
	} else {
		struct ark_body body = ark_body_fd(fd, 0, (uint64_t)st.st_size);
		size_t got = 0;
		char *room = ark_buf_room(out, (size_t)st.st_size);
		if (room != NULL)
			rc = ark_body_read(&body, 0, room, (size_t)st.st_size, &got, err);
		out->len += got;
		out->data[out->len] = '\0';
		*mode = st.st_mode & 0777;
	}
	close(fd);
	return rc;
}

enum ark_rc notify_metrics_write(const char *path, const struct notify_run *run,
                                 const struct notify_moment *at, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf old, text;
	ark_auto(io_publish_release) struct io_publish file = IO_PUBLISH_NONE;
	mode_t mode = 0644; /* the collector runs as somebody else; there are no secrets in it */
	ark_buf_init(&old, LIMIT_METRICS);
	ark_buf_init(&text, LIMIT_METRICS);
	enum ark_rc rc = read_file(path, &old, &mode, err);
	if (rc < 0)
		return rc;
	notify_metrics_render(ark_buf_view(&old), run, at, &text);
	rc = ark_buf_ok(&text, "the file with metrics", err);
	if (rc == ARK_OK)
		rc = io_publish_begin(path, &file, err);
	if (rc == ARK_OK && fchmod(file.fd, mode) != 0)
		rc = ark_err_errno(err, errno, "cannot set the permissions of '%s'", path);
	if (rc == ARK_OK)
		rc = io_publish_write(&file, text.data, text.len, err);
	return rc == ARK_OK ? io_publish_finish(&file, err) : rc;
}
