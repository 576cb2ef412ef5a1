/*
 * Messages over time as a bar chart in SVG, for pages that need no script and no other file. The
 * colours are those of the page's style sheet; chart.css beside this file has the rest.
 */
#ifndef ARK_HTML_CHART_H
#define ARK_HTML_CHART_H

#include <stdint.h>

#include "common/base/buf.h"

struct html_month {
	int32_t month; /* year * 12 + month - 1 */
	uint64_t n;
};

/* Append a figure and the same in numbers. months: sorted, each once, gaps allowed; none: nothing. */
void html_chart(struct ark_buf *b, const struct html_month *months, size_t count);
/* What one bar stands for: "month", "quarter", "year", ... */
const char *html_chart_unit(const struct html_month *months, size_t count);

#endif
