/*
 * The messages of a channel as pages. While the channel streams in, each message is put into the
 * spool as finished HTML; at its end (or when a window is full) they are taken out again in the order
 * of the page: those that began a thread by time, each with its replies below it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "export/formats/html/private.h"

#include "common/base/banned.h"

#define DAY_MS 86400000

static int32_t month_of(int64_t ms)
{
	struct ark_civil c = ark_time_civil(ms > 0 ? ms : 0);
	return c.year * 12 + c.month - 1;
}

/* --- coming in --- */

static void count_month(struct html_channel *c, int32_t month)
{
	size_t at = c->months_count;
	while (at > 0 && c->months[at - 1].month > month)
		at--;
	if (at > 0 && c->months[at - 1].month == month) {
		c->months[at - 1].n++;
		return;
	}
	c->months = ark_realloc(c->months, c->months_count + 1, sizeof(*c->months));
	memmove(c->months + at + 1, c->months + at, (c->months_count - at) * sizeof(*c->months));
	c->months[at] = (struct html_month){ month, 1 };
	c->months_count++;
}

static void count_post(struct html_archive *a, const struct export_record *r)
{
	struct html_channel *c = &a->channels[a->channels_count - 1];
	c->posts++;
	if (c->first_ms == 0 || r->create_ms < c->first_ms)
		c->first_ms = r->create_ms;
	if (r->create_ms > c->last_ms)
		c->last_ms = r->create_ms;
	count_month(c, month_of(r->create_ms));
	if (r->author != NULL)
		a->person_posts[r->author - a->run->people]++;
}

static enum ark_rc put_waiting(struct html_archive *a, const struct export_record *r, struct ark_err *err)
{
	struct html_waiting w = {
		.create_ms = r->create_ms,
		.author = r->author != NULL ? (uint32_t)(r->author - a->run->people) : UINT32_MAX,
		.html_len = (uint32_t)a->html.len,
		.text_len = (uint32_t)a->text.len,
	};
	memcpy(w.id, r->id.ptr, r->id.len < HTML_ID ? r->id.len : HTML_ID);
	struct html_entry e = {
		.node.id_hash = thread_hash(r->id),
		.node.root_hash = r->root_id.len > 0 ? thread_hash(r->root_id) : 0,
		.at = a->spool.fd < 0 ? 0 : a->spool.len,
	};
	ark_buf_reset(&a->piece);
	ark_buf_add(&a->piece, (const char *)&w, sizeof(w));
	ark_buf_str(&a->piece, ark_buf_view(&a->html));
	ark_buf_str(&a->piece, ark_buf_view(&a->text));
	enum ark_rc rc = ark_buf_ok(&a->piece, "a message as HTML", err);
	if (rc == ARK_OK)
		rc = io_spool_add(&a->spool, io_temp_dir(), a->piece.data, a->piece.len, err);
	if (rc < 0)
		return rc;
	if (a->entries_count == a->entries_cap) {
		a->entries_cap = a->entries_cap > 0 ? 2 * a->entries_cap : 1024;
		a->entries = ark_realloc(a->entries, a->entries_cap, sizeof(*a->entries));
	}
	a->entries[a->entries_count++] = e;
	return ARK_OK;
}

enum ark_rc html_pages_add(struct html_archive *a, const struct export_record *r, struct ark_err *err)
{
	if (a->entries_count >= HTML_WINDOW) {
		enum ark_rc rc = html_pages_flush(a, false, err);
		if (rc < 0)
			return rc;
	}
	html_post(a, r);
	count_post(a, r);
	enum ark_rc rc = ark_buf_ok(&a->html, "a message as HTML", err);
	return rc < 0 ? rc : put_waiting(a, r, err);
}

/* --- a page --- */

static void put_path(struct html_archive *a, const struct html_page_name *page)
{
	const struct export_channel *c = a->channels[a->channels_count - 1].channel;
	ark_buf_reset(&a->href);
	ark_buf_str(&a->href, c->team_path);
	ark_buf_c(&a->href, '/');
	ark_buf_str(&a->href, c->channel_path);
	ark_buf_c(&a->href, '/');
	html_page_href(&a->href, page);
}

static void put_step(struct ark_buf *b, const char *rel, const struct html_page_name *to)
{
	if (to == NULL || to->part == 0)
		return;
	ark_buf_fmt(b, "<a rel=\"%s\" href=\"", rel);
	html_page_href(b, to);
	ark_buf_z(b, "\">");
	html_month_words(b, to->month);
	if (to->part > 1)
		ark_buf_fmt(b, ", %u", to->part);
	ark_buf_z(b, "</a>\n");
}

static void put_page_head(struct ark_buf *b, struct html_archive *a, const struct html_page_name *next)
{
	const struct export_channel *c = a->channels[a->channels_count - 1].channel;
	struct ark_str title = c->display_name.len > 0 ? c->display_name : c->name;
	ark_auto(ark_buf_release) struct ark_buf words;
	ark_buf_init(&words, 1u << 16);
	ark_buf_str(&words, title);
	ark_buf_z(&words, ", ");
	html_month_words(&words, a->page_name.month);
	if (a->page_name.part > 1)
		ark_buf_fmt(&words, ", part %u", a->page_name.part);
	html_head(b, "../../", ark_buf_view(&words), false);
	ark_buf_z(b, "<header class=\"bar\"><nav class=\"crumbs\"><a href=\"../../index.html\">Archive</a> "
	             "<a href=\"index.html\"><bdi>");
	html_escape(title, b);
	ark_buf_z(b, "</bdi></a></nav>\n<h1>");
	html_month_words(b, a->page_name.month);
	if (a->page_name.part > 1)
		ark_buf_fmt(b, " <small>part %u</small>", a->page_name.part);
	ark_buf_z(b, "</h1>\n<form action=\"../../search.html\" role=\"search\"><input type=\"search\" "
	             "name=\"q\" placeholder=\"Search\" aria-label=\"Search\"></form>\n<nav class=\"steps\">");
	put_step(b, "prev", &a->page_before);
	put_step(b, "next", next);
	ark_buf_z(b, "</nav></header>\n<main class=\"messages\">\n");
}

/* Write the page that was filled; `next` is the one after it, NULL: none. */
static enum ark_rc end_page(struct html_archive *a, const struct html_page_name *next, struct ark_err *err)
{
	struct html_channel *c = &a->channels[a->channels_count - 1];
	if (a->page_name.part == 0)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf head, name;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	ark_buf_init(&head, 1u << 20);
	ark_buf_init(&name, 1u << 12);
	put_path(a, &a->page_name);
	ark_buf_z(&name, HTML_ROOT);
	ark_buf_str(&name, ark_buf_view(&a->href));
	put_page_head(&head, a, next);
	ark_buf_z(&a->page, "</main>\n<nav class=\"steps below\">");
	put_step(&a->page, "prev", &a->page_before);
	put_step(&a->page, "next", next);
	ark_buf_z(&a->page, "</nav>\n");
	html_foot(&a->page, a);
	enum ark_rc rc = ark_buf_ok(&a->page, "a page", err);
	if (rc == ARK_OK)
		rc = export_file_begin(a->run->out, name.data, EXPORT_PLAIN, &file, err);
	if (rc == ARK_OK)
		rc = export_file_write(file, head.data, head.len, err);
	if (rc == ARK_OK)
		rc = export_file_write(file, a->page.data, a->page.len, err);
	if (rc == ARK_OK)
		rc = export_file_end(&file, err);
	c->pages = ark_realloc(c->pages, c->pages_count + 1, sizeof(*c->pages));
	c->pages[c->pages_count++] = a->page_name;
	a->page_before = a->page_name;
	ark_buf_reset(&a->page);
	return rc;
}

/* Room for one more message of this month; `root` names the thread that a new page goes on with. */
static enum ark_rc want_page(struct html_archive *a, int32_t month, struct ark_str root, struct ark_err *err)
{
	struct html_page_name *now = &a->page_name;
	bool same = now->part > 0 && now->month == month;
	if (same && now->posts < HTML_PAGE_POSTS && a->page.len < HTML_PAGE_BYTES)
		return ARK_OK;
	struct html_page_name next = { .month = month, .part = same ? now->part + 1 : 1 };
	if (root.len > 0)
		ark_buf_z(&a->page, "</details>\n");
	enum ark_rc rc = end_page(a, &next, err);
	*now = next;
	a->page_day = -1;
	if (root.len > 0) {
		ark_buf_z(&a->page, "<details class=\"thread\" open><summary>the thread goes on</summary>\n"
		                    "<p class=\"soft\"><a href=\"");
		html_page_href(&a->page, &a->page_before);
		ark_buf_z(&a->page, "#p-");
		html_escape(root, &a->page);
		ark_buf_z(&a->page, "\">where it begins or went on before</a></p>\n");
	}
	return rc;
}

static void put_day(struct html_archive *a, int64_t ms)
{
	static const char *const DAYS[] = { "Thursday", "Friday", "Saturday", "Sunday",
		                            "Monday",   "Tuesday", "Wednesday" };
	int64_t day = ms / DAY_MS;
	if (day == a->page_day || ms < 0)
		return;
	struct ark_civil c = ark_time_civil(ms);
	a->page_day = day;
	ark_buf_fmt(&a->page, "<h2 class=\"day\" id=\"d-%04d-%02d-%02d\">%s, %d ", c.year, c.month, c.day,
	            DAYS[day % 7], c.day);
	html_month_words(&a->page, c.year * 12 + c.month - 1);
	ark_buf_z(&a->page, "</h2>\n");
}

/* --- out of the spool --- */

/* The header, then html and text into a->html and a->text. */
static enum ark_rc take_waiting(struct html_archive *a, const struct html_entry *e, struct html_waiting *w,
                                struct ark_err *err)
{
	enum ark_rc rc = io_spool_read(&a->spool, e->at, (char *)w, sizeof(*w), err);
	if (rc < 0)
		return rc;
	struct ark_buf *const to[] = { &a->html, &a->text };
	const uint32_t lens[] = { w->html_len, w->text_len };
	uint64_t at = e->at + sizeof(*w);
	for (size_t i = 0; i < 2; i++) {
		ark_buf_reset(to[i]);
		char *space = ark_buf_room(to[i], lens[i]);
		rc = lens[i] > 0 ? io_spool_read(&a->spool, at, space, lens[i], err) : ARK_OK;
		if (rc < 0)
			return rc;
		to[i]->len = lens[i];
		to[i]->data[lens[i]] = '\0';
		at += lens[i];
	}
	return ARK_OK;
}

static enum ark_rc put_message(struct html_archive *a, const struct html_waiting *w, bool orphan,
                               struct ark_err *err)
{
	const struct html_channel *c = &a->channels[a->channels_count - 1];
	const struct export_person *author = w->author != UINT32_MAX ? &a->run->people[w->author] : NULL;
	if (orphan)
		ark_buf_z(&a->page, "<p class=\"soft reply-to\">reply to an earlier message</p>\n");
	ark_buf_str(&a->page, ark_buf_view(&a->html));
	a->page_name.posts++;
	if (a->text.len == 0)
		return ARK_OK;
	put_path(a, &a->page_name);
	struct html_document d = {
		.page = ark_buf_view(&a->href),
		.id = ark_str_n(w->id, strnlen(w->id, HTML_ID)),
		.author = html_person_name(author),
		.channel = c->channel->display_name.len > 0 ? c->channel->display_name : c->channel->name,
		.text = ark_buf_view(&a->text),
		.user_name = author != NULL ? author->user_name : ARK_STR_NONE,
		.channel_name = c->channel->name,
		.create_ms = w->create_ms,
	};
	return html_search_add(a->search, a->run->out, &d, err);
}

static enum ark_rc put_replies(struct html_archive *a, const struct html_entry *root, int32_t month,
                               struct ark_str root_id, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	ark_buf_fmt(&a->page, "<details class=\"thread\" open><summary>%u %s</summary>\n", root->node.replies,
	            root->node.replies == 1 ? "reply" : "replies");
	int64_t day = a->page_day;
	for (uint32_t i = root->node.first_reply; rc == ARK_OK && i != 0; i = a->entries[i - 1].node.next) {
		struct html_waiting w;
		rc = take_waiting(a, &a->entries[i - 1], &w, err);
		if (rc == ARK_OK)
			rc = want_page(a, month, root_id, err);
		if (rc == ARK_OK && w.create_ms / DAY_MS != day) {
			day = w.create_ms / DAY_MS;
			ark_buf_z(&a->page, "<p class=\"soft later\">");
			html_time(&a->page, w.create_ms, true);
			ark_buf_z(&a->page, "</p>\n");
		}
		if (rc == ARK_OK)
			rc = put_message(a, &w, false, err);
	}
	ark_buf_z(&a->page, "</details>\n");
	return rc;
}

/* --- a window --- */

static enum ark_rc put_unit(struct html_archive *a, const struct html_entry *e, struct ark_err *err)
{
	struct html_waiting w;
	enum ark_rc rc = take_waiting(a, e, &w, err);
	int32_t month = month_of(w.create_ms);
	if (rc == ARK_OK)
		rc = want_page(a, month, ARK_STR_NONE, err);
	if (rc < 0)
		return rc;
	put_day(a, w.create_ms);
	rc = put_message(a, &w, e->node.root_hash != 0, err);
	if (rc == ARK_OK && e->node.replies > 0)
		rc = put_replies(a, e, month, ark_str_n(w.id, strnlen(w.id, HTML_ID)), err);
	return rc;
}

enum ark_rc html_pages_flush(struct html_archive *a, bool last, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	thread_link(a->entries, a->entries_count, sizeof(*a->entries));
	for (size_t i = 0; rc == ARK_OK && i < a->entries_count; i++)
		if (a->entries[i].node.root == 0)
			rc = put_unit(a, &a->entries[i], err);
	if (rc == ARK_OK && last)
		rc = end_page(a, NULL, err);
	a->entries_count = 0;
	io_spool_close(&a->spool);
	if (last) {
		a->page_name = a->page_before = (struct html_page_name){ 0 };
		a->page_day = -1;
	}
	return rc;
}
