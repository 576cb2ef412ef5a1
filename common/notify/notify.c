/* Each receiver has a thread of its own: one that hangs takes no time from the others. */
#include "common/notify/notify.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/notify/metrics.h"
#include "common/notify/send.h"

#include "common/base/banned.h"

/* Beginning and end together take no longer than was promised. */
#define BEGIN_MS (NOTIFY_TOTAL_MS / 3)
#define END_MS (NOTIFY_TOTAL_MS - BEGIN_MS)
#define SUFFIX ".prom"

struct notice {
	struct notify_address address;
	const struct notify_run *run;
	const struct notify_moment *at;
	int64_t end_ms;
	pthread_t thread;
	bool threaded, wanted;
	enum ark_rc rc;
	struct ark_err err;
};

/* --- before the run ---------------------------------------------------------------------------- */

static enum ark_rc check_metrics(const char *path, struct ark_err *err)
{
	struct ark_str s = ark_str_z(path), suffix = ARK_LIT(SUFFIX);
	const char *slash = strrchr(path, '/');
	size_t folder_len = slash == path ? 1 : slash != NULL ? (size_t)(slash - path) : 0;
	ark_auto(ark_freep) char *folder = slash != NULL ? ark_strdup(ark_str_first(s, folder_len)) : ark_strdupz(".");
	struct stat st;
	if (s.len <= suffix.len || !ark_str_ends(s, suffix)) {
		ark_err_set(err, ARK_KIND_USAGE, "--metrics '%s' does not end in " SUFFIX, path);
		ark_err_hint(err, "the textfile collector reads no others");
		return ARK_FAIL;
	}
	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return ark_err_set(err, ARK_KIND_USAGE, "the folder of --metrics '%s' is not there", path);
	return ARK_OK;
}

enum ark_rc notify_check(const struct notify_options *opt, struct ark_err *err)
{
	if (opt->urls.count > LIMIT_NOTIFY_URLS)
		return ark_err_set(err, ARK_KIND_USAGE, "--notify is given more than %d times", LIMIT_NOTIFY_URLS);
	for (size_t i = 0; i < opt->urls.count; i++) {
		ark_auto(notify_address_release) struct notify_address a = { 0 };
		enum ark_rc rc = notify_address_parse(opt->urls.items[i], &a, err);
		if (rc < 0)
			return rc;
	}
	return opt->metrics != NULL ? check_metrics(opt->metrics, err) : ARK_OK;
}

/* --- telling ----------------------------------------------------------------------------------- */

static void *tell(void *ctx)
{
	struct notice *n = ctx;
	n->rc = notify_send(&n->address, n->run, n->at, n->end_ms, &n->err);
	return NULL;
}

static void start(struct notice *n, const char *url, const struct notify_run *run,
                  const struct notify_moment *at, int64_t end_ms)
{
	n->run = run;
	n->at = at;
	n->end_ms = end_ms;
	n->rc = notify_address_parse(url, &n->address, &n->err);
	n->wanted = n->rc < 0 || at->end || notify_wants_begin(n->address.kind);
	if (n->rc < 0 || !n->wanted)
		return;
	n->threaded = pthread_create(&n->thread, NULL, tell, n) == 0;
	if (!n->threaded)
		tell(n);
}

static void finish(struct notice *n, struct ark_talk *talk)
{
	if (n->threaded)
		pthread_join(n->thread, NULL);
	if (n->wanted && n->rc < 0)
		ark_warn(talk, "notify.failed", "%s%s%s%s; continuing", n->err.text, n->err.hint[0] != '\0' ? " (" : "",
		         n->err.hint, n->err.hint[0] != '\0' ? ")" : "");
	else if (n->wanted)
		ark_debug(talk, "notify.sent", "'%s' was told", n->address.shown.data);
	notify_address_release(&n->address);
}

static void tell_all(const struct notify_options *opt, const struct notify_run *run,
                     const struct notify_moment *at, struct ark_talk *talk)
{
	size_t count = opt->urls.count < LIMIT_NOTIFY_URLS ? opt->urls.count : LIMIT_NOTIFY_URLS;
	int64_t end_ms = ark_time_tick_ms() + (at->end ? END_MS : BEGIN_MS);
	ark_auto(ark_freep) struct notice *all = ark_calloc(count + 1, sizeof(all[0]));
	for (size_t i = 0; i < count; i++)
		start(&all[i], opt->urls.items[i], run, at, end_ms);
	for (size_t i = 0; i < count; i++)
		finish(&all[i], talk);
}

static struct notify_moment moment(bool end, char *host, size_t size)
{
	if (gethostname(host, size) != 0)
		snprintf(host, size, "localhost");
	host[size - 1] = '\0';
	return (struct notify_moment){ .end = end, .now_ms = ark_time_now_ms(), .host = host };
}

void notify_begin(const struct notify_options *opt, struct notify_run *run, struct ark_talk *talk)
{
	char host[256];
	struct notify_moment at = moment(false, host, sizeof(host));
	if (run->begin_ms == 0)
		run->begin_ms = at.now_ms;
	if (opt->urls.count > 0)
		tell_all(opt, run, &at, talk);
}

void notify_end(const struct notify_options *opt, const struct notify_run *run,
                struct ark_talk *talk)
{
	char host[256];
	struct notify_moment at = moment(true, host, sizeof(host));
	struct ark_err err = { 0 };
	if (opt->metrics != NULL && notify_metrics_write(opt->metrics, run, &at, &err) < 0)
		ark_warn(talk, "metrics.failed", "%s; continuing", err.text);
	if (opt->urls.count > 0)
		tell_all(opt, run, &at, talk);
}

/* --- facts gathered along the way --------------------------------------------------------------- */

enum ark_rc notify_open(struct notify_book *book, const struct notify_options *opt, const struct ark_args *args,
                        bool dry_run, struct ark_talk *talk, struct ark_err *err)
{
	bool common;
	const struct ark_option *row = ark_row(args->tool, ark_row_named(args->tool, ARK_LIT("notify")), &common);
	*book = (struct notify_book){
		.run = { .tool = args->tool->name, .version = args->tool->version, .command = args->command->name },
	};
	if (!ark_option_applies(args->tool, row, args->command))
		return ARK_OK;
	enum ark_rc rc = notify_check(opt, err);
	if (rc < 0 || dry_run)
		return rc;
	book->opt = opt;
	notify_begin(opt, &book->run, talk);
	return ARK_OK;
}

void notify_headline(struct notify_book *book, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(book->headline, sizeof(book->headline), fmt, ap);
	va_end(ap);
}

void notify_target(struct notify_book *book, struct ark_str target)
{
	snprintf(book->target, sizeof(book->target), "%.*s", ARK_FMT(target));
}

void notify_count(struct notify_book *book, const char *name, const char *title, uint64_t value)
{
	if (book->run.count_count == LIMIT_NOTIFY_COUNTS)
		ark_bug("a run has more than %d figures to tell", LIMIT_NOTIFY_COUNTS);
	book->counts[book->run.count_count++] = (struct notify_count){ name, title, value };
}

void notify_close(struct notify_book *book, enum ark_exit code, const struct ark_err *err, struct ark_talk *talk)
{
	if (book->opt == NULL)
		return;
	book->run.code = code;
	book->run.headline = book->headline[0] != '\0' ? book->headline : NULL;
	book->run.target = book->target[0] != '\0' ? book->target : NULL;
	book->run.problem = err != NULL ? err->text : NULL;
	book->run.counts = book->counts;
	notify_end(book->opt, &book->run, talk);
}
