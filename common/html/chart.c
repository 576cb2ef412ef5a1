/*
 * Messages over time as bars. Months are put together to quarters, years, ... when there are too
 * many, so that one message with a wild date cannot make the page huge. All positions are
 * percentages: the chart takes the width it gets and its texts keep their size.
 */
#include "common/html/chart.h"

#include "common/base/mem.h"
#include "common/cli/human.h"

#include "common/base/banned.h"

#define BARS_MAX   180
#define BARS_MIN   12  /* fewer are as wide as these and stand in the middle */
#define LABELS_MAX 10  /* the narrow page shows every second one beyond five */
#define TABLE_MAX  400 /* rows of the list below the chart */

struct bars {
	int32_t first; /* month */
	int32_t width; /* months per bar */
	uint32_t count;
	uint64_t *n;
	uint64_t max;
	uint32_t max_at;
};

static const int32_t WIDTHS[] = { 1, 3, 12, 60, 120, 600, 1200, 12000 };
static const int32_t LABEL_STEPS[] = { 1,   2,   3,   6,    12,   24,    36,   60,
	                               120, 240, 600, 1200, 2400, 12000, 24000 };

static void gather(const struct html_month *months, size_t count, struct bars *out)
{
	int32_t first = months[0].month, last = months[count - 1].month;
	int32_t width = WIDTHS[0];
	for (size_t i = 0; i < sizeof(WIDTHS) / sizeof(WIDTHS[0]); i++) {
		width = WIDTHS[i];
		if (last / width - first / width + 1 <= BARS_MAX)
			break;
	}
	*out = (struct bars){ .first = first / width * width, .width = width };
	out->count = (uint32_t)(last / width - first / width + 1);
	out->n = ark_calloc(out->count, sizeof(*out->n));
	for (size_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)((months[i].month - out->first) / width);
		out->n[at] += months[i].n;
		if (out->n[at] > out->max) {
			out->max = out->n[at];
			out->max_at = at;
		}
	}
}

static void put_month(struct ark_buf *b, int32_t month)
{
	ark_buf_fmt(b, "%04d-%02d", month / 12, month % 12 + 1);
}

/* "2023-08", "2023-07 to 2023-09", "2023", "2020 to 2024" */
static void span_text(struct ark_buf *b, const struct bars *bars, uint32_t at)
{
	int32_t from = bars->first + (int32_t)at * bars->width, to = from + bars->width - 1;
	if (bars->width < 12)
		put_month(b, from);
	else
		ark_buf_fmt(b, "%d", from / 12);
	if (bars->width == 3) {
		ark_buf_z(b, " to ");
		put_month(b, to);
	} else if (bars->width > 12) {
		ark_buf_fmt(b, " to %d", to / 12);
	}
}

static const char *width_text(int32_t width)
{
	switch (width) {
	case 1: return "month";
	case 3: return "quarter";
	case 12: return "year";
	case 60: return "five years";
	case 120: return "decade";
	case 600: return "fifty years";
	case 1200: return "century";
	default: return "thousand years";
	}
}

/* The step of the scale: 1, 2 or 5 times a power of ten, at most five steps. */
static uint64_t scale_step(uint64_t max)
{
	static const uint64_t MANTISSAS[] = { 1, 2, 5 };
	for (uint64_t power = 1;; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (max / 5 < MANTISSAS[i] * power || MANTISSAS[i] * power * 5 >= max ||
			    power > UINT64_MAX / 100)
				return MANTISSAS[i] * power;
}

/* Left edge of a bar's slot in percent of the width. */
static double slot(const struct bars *bars, double at)
{
	uint32_t slots = bars->count < BARS_MIN ? BARS_MIN : bars->count;
	return ((slots - bars->count) / 2.0 + at) * 100.0 / slots;
}

static void draw_bar(struct ark_buf *b, const struct bars *bars, uint32_t at, uint64_t top)
{
	double x = slot(bars, at), w = slot(bars, at + 1) - x;
	double h = 100.0 * (double)bars->n[at] / (double)top;
	if (bars->n[at] > 0 && h < 0.5)
		h = 0.5; /* few is not none */
	ark_buf_fmt(b,
	            "<g class=\"bin\"><rect class=\"hit\" x=\"%.3f%%\" y=\"0\" width=\"%.3f%%\" "
	            "height=\"100%%\"/>",
	            x, w);
	ark_buf_fmt(
	    b,
	    "<rect class=\"bar\" x=\"%.3f%%\" y=\"%.2f%%\" width=\"%.3f%%\" height=\"%.2f%%\"/>"
	    "<title>",
	    x + w * 0.14, 100.0 - h, w * 0.72, h);
	span_text(b, bars, at);
	ark_buf_z(b, ": ");
	ark_human_count(b, bars->n[at]);
	ark_buf_z(b, bars->n[at] == 1 ? " message" : " messages");
	ark_buf_z(b, "</title></g>\n");
}

static void draw_plot(struct ark_buf *b, const struct bars *bars, uint64_t step, uint64_t steps)
{
	ark_buf_fmt(b, "<svg class=\"plot\" role=\"img\" aria-label=\"Messages per %s from ",
	            width_text(bars->width));
	span_text(b, bars, 0);
	ark_buf_z(b, " to ");
	span_text(b, bars, bars->count - 1);
	ark_buf_z(b, "; most in ");
	span_text(b, bars, bars->max_at);
	ark_buf_z(b, ": ");
	ark_human_count(b, bars->max);
	ark_buf_z(b, "\">\n");
	for (uint64_t i = 0; i <= steps; i++)
		ark_buf_fmt(
		    b, "<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%.3f%%\" y2=\"%.3f%%\"/>",
		    i == 0 ? "base" : "grid", 100.0 - 100.0 * (double)i / (double)steps,
		    100.0 - 100.0 * (double)i / (double)steps);
	ark_buf_c(b, '\n');
	for (uint32_t i = 0; i < bars->count; i++)
		draw_bar(b, bars, i, step * steps);
	ark_buf_z(b, "</svg>\n");
}

static int32_t label_step(const struct bars *bars)
{
	int32_t span = (int32_t)bars->count * bars->width, step = bars->width;
	for (size_t i = 0; i < sizeof(LABEL_STEPS) / sizeof(LABEL_STEPS[0]); i++) {
		step = LABEL_STEPS[i];
		if (step % bars->width == 0 && (span + step - 1) / step <= LABELS_MAX)
			break;
	}
	return step;
}

static void draw_labels(struct ark_buf *b, const struct bars *bars)
{
	int32_t step = label_step(bars);
	bool crowded = (int32_t)bars->count * bars->width > 5 * step;
	ark_buf_z(b, "<svg class=\"years\" aria-hidden=\"true\">");
	for (uint32_t i = 0, shown = 0; i < bars->count; i++) {
		int32_t month = bars->first + (int32_t)i * bars->width;
		if (month % step != 0)
			continue;
		double x = slot(bars, i + 0.5);
		const char *anchor = x < 3 ? "start" : x > 97 ? "end" : "middle";
		ark_buf_fmt(b, "<text%s x=\"%.3f%%\" y=\"20\" text-anchor=\"%s\">",
		            crowded && shown++ % 2 == 1 ? " class=\"minor\"" : "", x, anchor);
		if (step < 12)
			put_month(b, month);
		else
			ark_buf_fmt(b, "%d", month / 12);
		ark_buf_z(b, "</text>");
	}
	ark_buf_z(b, "</svg>\n");
}

static void draw_list(struct ark_buf *b, const struct bars *bars)
{
	ark_buf_z(b, "<details><summary>The same in numbers</summary><ul class=\"months\">\n");
	for (uint32_t i = 0; i < bars->count && i < TABLE_MAX; i++) {
		if (bars->n[i] == 0)
			continue;
		ark_buf_z(b, "<li><span>");
		span_text(b, bars, i);
		ark_buf_z(b, "</span><span>");
		ark_human_count(b, bars->n[i]);
		ark_buf_z(b, "</span></li>\n");
	}
	ark_buf_z(b, "</ul></details>\n");
}

const char *html_chart_unit(const struct html_month *months, size_t count)
{
	if (count == 0)
		return "month";
	struct bars bars;
	gather(months, count, &bars);
	ark_freep(&bars.n);
	return width_text(bars.width);
}

void html_chart(struct ark_buf *b, const struct html_month *months, size_t count)
{
	if (count == 0)
		return;
	struct bars bars;
	gather(months, count, &bars);
	uint64_t step = scale_step(bars.max > 0 ? bars.max : 1);
	uint64_t steps = bars.max > 0 ? (bars.max - 1) / step + 1 : 1;
	ark_buf_z(b, "<figure class=\"chart\"><div class=\"scale\" aria-hidden=\"true\">");
	for (uint64_t i = steps + 1; i-- > 0;) {
		ark_buf_z(b, "<span>");
		ark_human_count(b, i * step);
		ark_buf_z(b, "</span>");
	}
	ark_buf_z(b, "</div>\n");
	draw_plot(b, &bars, step, steps);
	draw_labels(b, &bars);
	ark_buf_z(b, "</figure>\n");
	draw_list(b, &bars);
	ark_freep(&bars.n);
}
