#include "common/cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"

#include "common/base/banned.h"

/* Calls between two looks at the clock: enough that the clock costs nothing, few enough that slow
 * calls do not make a still picture. */
#define STRIDE_MAX 256
#define STRIDE_SHORT_MS 5
#define STRIDE_LONG_MS 20
#define SAMPLE_MS 500 /* the rate is that of the last 8 seconds */
#define BAR_MIN 8
#define BAR_MAX 40

struct amounts {
	uint64_t items, bytes;
	uint64_t done, total; /* of what decides the bar; total 0: not known */
	double per_second;    /* of `done` */
	int64_t left_ms;      /* -1: not known */
};

static bool by_bytes(const struct ark_progress *p)
{
	return p->total_bytes > 0 || p->noun[0] == '\0';
}

static uint64_t done_now(struct ark_progress *p, uint64_t *items, uint64_t *bytes)
{
	*items = p->items + atomic_load_explicit(&p->other_items, memory_order_relaxed);
	*bytes = p->bytes + atomic_load_explicit(&p->other_bytes, memory_order_relaxed);
	return by_bytes(p) ? *bytes : *items;
}

static void sample(struct ark_progress *p, int64_t now_ms)
{
	uint64_t items, bytes;
	unsigned n = p->sample_count;
	if (n > 0 && now_ms - p->samples[(n - 1) % ARK_PROGRESS_SAMPLES].ms < SAMPLE_MS)
		return;
	p->samples[n % ARK_PROGRESS_SAMPLES] =
	    (struct ark_progress_sample){ now_ms, done_now(p, &items, &bytes) };
	p->sample_count++;
}

static struct amounts measure(struct ark_progress *p, int64_t now_ms)
{
	struct amounts a = { .left_ms = -1 };
	a.done = done_now(p, &a.items, &a.bytes);
	a.total = by_bytes(p) ? p->total_bytes : p->total_items;
	unsigned n = p->sample_count;
	const struct ark_progress_sample *old =
	    &p->samples[n > ARK_PROGRESS_SAMPLES ? n % ARK_PROGRESS_SAMPLES : 0];
	if (n > 0 && now_ms > old->ms)
		a.per_second = (double)(a.done - old->done) * 1000 / (double)(now_ms - old->ms);
	if (a.total > a.done && a.per_second > 0) {
		double left = (double)(a.total - a.done) / a.per_second;
		if (left < 360000)
			a.left_ms = (int64_t)(left * 1000);
	}
	return a;
}

static unsigned percent(const struct amounts *a)
{
	/* 100 % is for what is done: rounding up to it would be a lie. */
	if (a->done >= a->total)
		return 100;
	return (unsigned)((double)a->done / (double)a->total * 100);
}

static void add_amounts(const struct ark_progress *p, const struct amounts *a, struct ark_buf *out)
{
	if (p->noun[0] != '\0') {
		ark_human_count(out, a->items);
		if (p->total_items > 0) {
			ark_buf_c(out, '/');
			ark_human_count(out, p->total_items);
		}
		ark_buf_c(out, ' ');
		ark_talk_clean(out, ark_str_z(p->noun));
	}
	if (a->bytes > 0 || p->total_bytes > 0) {
		ark_buf_z(out, p->noun[0] != '\0' ? "  " : "");
		ark_human_bytes(out, a->bytes);
		if (p->total_bytes > 0) {
			ark_buf_c(out, '/');
			ark_human_bytes(out, p->total_bytes);
		}
	}
}

static void add_rate(const struct ark_progress *p, const struct amounts *a, struct ark_buf *out)
{
	if (by_bytes(p))
		ark_human_bytes(out, (uint64_t)a->per_second);
	else
		ark_human_count(out, (uint64_t)a->per_second);
	ark_buf_z(out, "/s");
}

static void add_time(const struct ark_progress *p, const struct amounts *a, int64_t now_ms,
                     struct ark_buf *out)
{
	if (a->left_ms >= 0) {
		ark_buf_z(out, "ETA ");
		ark_human_duration(out, a->left_ms);
	} else {
		ark_human_duration(out, now_ms - p->phase_ms);
	}
}

static size_t columns_of(const struct ark_talk *talk)
{
	struct winsize size;
	if (ioctl(fileno(talk->err), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static void add_bar(const struct amounts *a, size_t width, struct ark_buf *out)
{
	size_t inner = width - 2;
	size_t full = inner * percent(a) / 100;
	ark_buf_c(out, '[');
	for (size_t i = 0; i < inner; i++)
		ark_buf_c(out, i < full ? '=' : i == full ? '>' : ' ');
	ark_buf_c(out, ']');
}

/* What stands behind the bar, in the order of its place. */
enum part { PERCENT, AMOUNTS, RATE, TIME, PARTS };
struct parts {
	struct ark_buf text[PARTS];
	bool fits[PARTS];
};

static void parts_release(struct parts *parts)
{
	for (size_t i = 0; i < PARTS; i++)
		ark_buf_release(&parts->text[i]);
}

/* What is worth most gets its room first; returns the columns used. */
static size_t parts_fit(struct parts *parts, size_t used, size_t columns)
{
	static const enum part WORTH[PARTS] = { PERCENT, TIME, AMOUNTS, RATE };
	for (size_t i = 0; i < PARTS; i++) {
		size_t need = ark_utf8_columns(ark_buf_view(&parts->text[WORTH[i]]));
		if (need == 0 || used + 2 + need > columns)
			continue;
		used += 2 + need;
		parts->fits[WORTH[i]] = true;
	}
	return used;
}

/* One line of at most `columns` columns: what does not fit is left out, the bar takes the rest. */
static void compose(struct ark_progress *p, int64_t now_ms, size_t columns, struct ark_buf *line)
{
	struct amounts a = measure(p, now_ms);
	ark_auto(parts_release) struct parts parts = { 0 };
	for (size_t i = 0; i < PARTS; i++)
		ark_buf_init(&parts.text[i], 1024);
	if (a.total > 0)
		ark_buf_fmt(&parts.text[PERCENT], "%3u%%", percent(&a));
	add_amounts(p, &a, &parts.text[AMOUNTS]);
	if (a.total > 0 || a.done > 0)
		add_rate(p, &a, &parts.text[RATE]);
	add_time(p, &a, now_ms, &parts.text[TIME]);
	ark_auto(ark_buf_release) struct ark_buf phase;
	ark_buf_init(&phase, 1024);
	ark_talk_clean(&phase, ark_str_z(p->phase));
	struct ark_str name = ark_utf8_first_columns(ark_buf_view(&phase), columns / 2);
	size_t used = parts_fit(&parts, ark_utf8_columns(name), columns);
	ark_buf_str(line, name);
	if (a.total > 0 && columns >= used + 2 + BAR_MIN) {
		size_t width = columns - used - 2;
		ark_buf_z(line, "  ");
		add_bar(&a, width > BAR_MAX ? BAR_MAX : width, line);
	}
	for (size_t i = 0; i < PARTS; i++) {
		if (!parts.fits[i])
			continue;
		ark_buf_z(line, "  ");
		ark_buf_str(line, ark_buf_view(&parts.text[i]));
	}
}

static bool may_draw(const struct ark_talk *talk)
{
	if (!talk->terminal || talk->log_json || talk->level < ARK_LEVEL_INFO)
		return false;
	/* In the background the terminal is somebody else's. */
	pid_t group = tcgetpgrp(fileno(talk->err));
	return group < 0 || group == getpgrp();
}

static void draw(struct ark_progress *p, int64_t now_ms)
{
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, LIMIT_TALK);
	ark_buf_c(&line, '\r');
	/* One column less: a full line would make some terminals go to the next. */
	size_t columns = columns_of(p->talk);
	compose(p, now_ms, columns > 1 ? columns - 1 : 1, &line);
	ark_buf_z(&line, "\033[K");
	fwrite(line.data, 1, line.len, p->talk->err);
	fflush(p->talk->err);
	p->on_line = true;
	p->drawn_ms = now_ms;
}

static void take_off(struct ark_progress *p)
{
	if (p->on_line) {
		fputs("\r\033[K", p->talk->err);
		fflush(p->talk->err);
	}
	p->on_line = false;
}

/* For talk.h: the bar is off the line while a message is printed. */
static void bar_hide(void *bar)
{
	struct ark_progress *p = bar;
	p->put_back = p->on_line;
	take_off(p);
}

static void bar_show(void *bar)
{
	struct ark_progress *p = bar;
	if (p->put_back)
		draw(p, p->clock_ms());
	p->put_back = false;
}

static void status_event(struct ark_progress *p, int64_t now_ms, struct ark_event *e)
{
	struct amounts a = measure(p, now_ms);
	ark_event_begin(e, "status", "progress");
	ark_event_text(e, "phase", ark_str_z(p->phase));
	if (p->noun[0] != '\0')
		ark_event_text(e, "noun", ark_str_z(p->noun));
	ark_event_u64(e, "items", a.items);
	if (p->total_items > 0)
		ark_event_u64(e, "total_items", p->total_items);
	ark_event_u64(e, "bytes", a.bytes);
	if (p->total_bytes > 0)
		ark_event_u64(e, "total_bytes", p->total_bytes);
	ark_event_i64(e, "elapsed_ms", now_ms - p->phase_ms);
	if (a.left_ms >= 0)
		ark_event_i64(e, "left_ms", a.left_ms);
}

/* SIGUSR1: said at once, whatever is shown otherwise. */
static void answer_signal(struct ark_progress *p, int64_t now_ms)
{
	ark_auto(ark_buf_release) struct ark_buf line;
	ark_buf_init(&line, LIMIT_TALK);
	compose(p, now_ms, 200, &line);
	enum ark_level level = p->talk->level;
	bool json = p->talk->json;
	if (level < ARK_LEVEL_INFO)
		p->talk->level = ARK_LEVEL_INFO;
	p->talk->json = false; /* the status object comes by itself */
	ark_info(p->talk, "progress", "%s", line.data);
	p->talk->level = level;
	p->talk->json = json;
}

void ark_progress_tick(struct ark_progress *p)
{
	if (p->talk == NULL)
		return;
	int64_t now_ms = p->clock_ms();
	int64_t passed_ms = now_ms - p->checked_ms;
	if (passed_ms < STRIDE_SHORT_MS && p->stride < STRIDE_MAX)
		p->stride *= 2;
	else if (passed_ms > STRIDE_LONG_MS)
		p->stride = 1;
	p->countdown = p->stride;
	p->checked_ms = now_ms;
	sample(p, now_ms);
	if (ark_signal_progress_wanted())
		answer_signal(p, now_ms);
	if (now_ms - p->begin_ms < ARK_PROGRESS_FIRST_MS)
		return;
	if (p->talk->json && !p->talk->quiet && now_ms - p->json_ms >= ARK_PROGRESS_JSON_MS) {
		struct ark_event e;
		status_event(p, now_ms, &e);
		ark_event_send(&e, p->talk);
		fflush(p->talk->out);
		p->json_ms = now_ms;
	}
	if (now_ms - p->drawn_ms < ARK_PROGRESS_EVERY_MS)
		return;
	if (may_draw(p->talk))
		draw(p, now_ms);
	else
		p->drawn_ms = now_ms;
}

void ark_progress_begin(struct ark_progress *p, struct ark_talk *talk)
{
	*p = (struct ark_progress){ .talk = talk, .clock_ms = ark_time_tick_ms };
	p->begin_ms = p->clock_ms();
	p->json_ms = p->begin_ms;
	talk->bar = p;
	talk->bar_hide = bar_hide;
	talk->bar_show = bar_show;
	ark_progress_phase(p, "", NULL, 0, 0);
}

void ark_progress_phase(struct ark_progress *p, const char *phase, const char *noun,
                        uint64_t total_items, uint64_t total_bytes)
{
	snprintf(p->phase, sizeof(p->phase), "%s", phase);
	snprintf(p->noun, sizeof(p->noun), "%s", noun != NULL ? noun : "");
	p->total_items = total_items;
	p->total_bytes = total_bytes;
	p->items = 0;
	p->bytes = 0;
	atomic_store_explicit(&p->other_items, 0, memory_order_relaxed);
	atomic_store_explicit(&p->other_bytes, 0, memory_order_relaxed);
	p->phase_ms = p->clock_ms();
	p->checked_ms = p->phase_ms;
	p->stride = 1;
	p->countdown = 1;
	p->sample_count = 0;
	sample(p, p->phase_ms);
}

void ark_progress_end(struct ark_progress *p)
{
	if (p->talk == NULL)
		return;
	take_off(p);
	p->talk->bar_hide = NULL;
	p->talk->bar_show = NULL;
	p->talk->bar = NULL;
	p->talk = NULL;
}
