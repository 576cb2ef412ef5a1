/*
 * What the files of the HTML archive share.
 *
 *	data/html/index.html                         channels, activity, where search begins
 *	data/html/people.html                        everybody who is named
 *	data/html/search.html, search/               search without a server: index in small scripts
 *	data/html/<team>/<channel>/index.html        one channel: its months
 *	data/html/<team>/<channel>/2024-03[-2].html  messages, threads in place
 *
 * A channel's messages wait as finished HTML in a temporary file until the channel is complete, because
 * a thread stands whole below the message that began it. A very large channel is written in windows of
 * HTML_WINDOW messages: a reply whose thread began in an earlier one says so and stands by itself.
 */
#ifndef EXPORT_FORMATS_HTML_PRIVATE_H
#define EXPORT_FORMATS_HTML_PRIVATE_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "common/html/chart.h"
#include "common/io/spool.h"
#include "common/json/value.h"
#include "export/formats/markdown/html.h"
#include "export/formats/names.h"
#include "export/formats/thread.h"
#include "export/out.h"
#include "export/record.h"

#define HTML_ROOT        "data/html/"
#define HTML_WINDOW      400000u      /* messages of one channel that wait at a time; 48 bytes each */
#define HTML_PAGE_POSTS  1000u
#define HTML_PAGE_BYTES  (1536u << 10) /* a page ends when it is longer, before 1,000 too */
#define HTML_BUFFER      (64u << 20)  /* ceiling of a buffer; one message with its history */
#define HTML_ID          26

/* One message that waits; `at` is where its record begins in the spool. */
struct html_entry {
	struct thread_node node;
	uint64_t at;
};

/* In front of a message in the spool; behind it html_len bytes and then text_len bytes. */
struct html_waiting {
	int64_t create_ms;
	char id[HTML_ID + 1];
	uint32_t author; /* in run->people, UINT32_MAX: nobody */
	uint32_t html_len, text_len;
};

/* What the overview says about a channel once it is written. */
struct html_channel {
	const struct export_channel *channel;
	uint64_t posts;
	int64_t first_ms, last_ms;
	struct html_month *months;
	size_t months_count;
	struct html_page_name *pages;
	size_t pages_count;
};

/* "2024-03.html" or, for `part` > 1, "2024-03-2.html". */
struct html_page_name {
	int32_t month;
	uint32_t part;
	uint32_t posts;
};

struct html_search;

struct html_archive {
	const struct export_run *run;
	struct html_names names;
	struct format_names meant;
	uint64_t *person_posts;  /* per run->people */
	struct json_doc *json;
	struct io_spool spool;
	struct html_entry *entries;
	size_t entries_count, entries_cap;
	struct html_channel *channels;
	size_t channels_count, channels_cap;
	struct html_search *search;
	struct ark_buf html, text, href, piece;
	/* the page that is being filled */
	struct ark_buf page;
	struct html_page_name page_name;
	int64_t page_day;        /* of the last message; -1: none */
	struct html_page_name page_before; /* part 0: none */
};

/* --- post.c: one message as HTML (without its replies) into a->html, its words into a->text --- */
void html_post(struct html_archive *a, const struct export_record *record);
/* A name of a person for people. */
struct ark_str html_person_name(const struct export_person *person);

/* --- pages.c: the messages of a channel as pages --- */
enum ark_rc html_pages_add(struct html_archive *a, const struct export_record *record,
                           struct ark_err *err);
/* Write the window; `last`: the channel ends. */
enum ark_rc html_pages_flush(struct html_archive *a, bool last, struct ark_err *err);

/* --- overview.c: index.html, people.html, search.html, a channel's index.html --- */
enum ark_rc html_overview_channel(struct html_archive *a, const struct html_channel *c,
                                  struct ark_err *err);
enum ark_rc html_overview_end(struct html_archive *a, struct ark_err *err);

/* --- frame.c: what is around every page --- */
/* up: path to data/html/ ("", "../../"); title is escaped here */
void html_head(struct ark_buf *b, const char *up, struct ark_str title, bool search);
void html_foot(struct ark_buf *b, const struct html_archive *a);
void html_page_href(struct ark_buf *b, const struct html_page_name *page);
/* "March 2024" */
void html_month_words(struct ark_buf *b, int32_t month);
/* "2024-03-05 10:22" as a time element */
void html_time(struct ark_buf *b, int64_t ms, bool with_date);
enum ark_rc html_assets(struct html_archive *a, struct ark_err *err);

/* --- search.c --- */
struct html_search *html_search_new(void);
void html_search_free(struct html_search *s); /* NULL is fine */
/*
 * One more document; they are numbered in this order.
 * page   path below data/html/; the same pointer content for the messages of one page, in a row
 */
struct html_document {
	struct ark_str page, id, author, channel, text;
	struct ark_str user_name;    /* NONE: cannot be searched for with from: */
	struct ark_str channel_name; /* for in: */
	int64_t create_ms;
};
enum ark_rc html_search_add(struct html_search *s, struct export_out *out,
                            const struct html_document *d, struct ark_err *err);
enum ark_rc html_search_end(struct html_search *s, struct export_out *out, struct ark_err *err);

#endif
