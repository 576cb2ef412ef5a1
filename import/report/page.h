/*
 * Pieces of report.html. The page is XML as well as HTML (every element closed, every attribute
 * quoted), so that tests can read it with a strict parser. Nothing in it comes from another place,
 * and its content security policy allows nothing to.
 */
#ifndef IMPORT_REPORT_PAGE_H
#define IMPORT_REPORT_PAGE_H

#include "import/report/private.h"

/* Text from outside, escaped for elements and quoted attributes: control characters and those that
 * turn the direction of text become U+FFFD, line ends blanks; longer than 300 runes is cut. */
void page_text(struct ark_buf *b, struct ark_str s);
/* The same as an element of its own, so that right-to-left names stay where they are. */
void page_name(struct ark_buf *b, struct ark_str s);
void page_count(struct ark_buf *b, uint64_t n); /* "1,234,567" */
void page_things(struct ark_buf *b, uint64_t n, const char *one, const char *many); /* "1 post" */
void page_date(struct ark_buf *b, int64_t ms); /* "2023-08-01"; a dash for 0 */
void page_time(struct ark_buf *b, int64_t ms); /* "2023-08-01 12:05 UTC" */
/* `part` of `whole` as a percentage for SVG attributes: "12.345%"; 0 when whole is 0. */
void page_percent(struct ark_buf *b, uint64_t part, uint64_t whole);
/* "41.2 s", "3:05 min", "2:03:11 h" */
void page_duration(struct ark_buf *b, int64_t ms);

/* Sections, in the order of the page. */
void page_decisions(struct ark_buf *b, const struct import_report *r,
                    const struct report_missing *missing);
void page_next(struct ark_buf *b, const struct import_report *r);
void page_left_out(struct ark_buf *b, const struct import_report *r);
/* False: there is nothing to tell of files. */
bool page_has_files(const struct import_report *r, const struct report_missing *missing);
void page_files(struct ark_buf *b, const struct import_report *r, const struct report_missing *missing);
void page_people(struct ark_buf *b, const struct import_report *r);
void page_archives(struct ark_buf *b, const struct import_report *r);
void page_phases(struct ark_buf *b, const struct import_report *r);
void page_channels(struct report_file *f, const struct import_report *r);

#endif
