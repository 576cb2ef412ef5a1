/* The HTML archive as an export format: see private.h for what is written. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/mm/emoji.h"
#include "export/formats/html/private.h"

#include "common/base/banned.h"

/* --- what names mean --- */

static bool is_user(void *ctx, struct ark_str name)
{
	const struct html_archive *a = ctx;
	return format_names_user(&a->meant, name) != NULL;
}

/* A channel of the team that the message stands in. */
static bool find_channel(void *ctx, struct ark_str name, struct ark_str *title, struct ark_str *href)
{
	struct html_archive *a = ctx;
	if (a->channels_count == 0)
		return false;
	struct ark_str team_id = a->channels[a->channels_count - 1].channel->team_id;
	const struct export_channel *c = format_names_channel(&a->meant, team_id, name);
	if (c == NULL)
		return false;
	*title = c->display_name.len > 0 ? c->display_name : c->name;
	ark_buf_reset(&a->href);
	ark_buf_z(&a->href, "../../");
	ark_buf_str(&a->href, c->team_path);
	ark_buf_c(&a->href, '/');
	ark_buf_str(&a->href, c->channel_path);
	ark_buf_z(&a->href, "/index.html");
	*href = ark_buf_view(&a->href);
	return true;
}

/* Names that the server does not have itself are custom ones, or were: shown as their name. */
static bool find_emoji(void *ctx, struct ark_str name, struct ark_str *unicode)
{
	(void)ctx;
	const struct mm_emoji_slot *slot = mm_emoji(name);
	if (slot == NULL)
		return false;
	*unicode = ark_str_z(slot->unicode);
	return true;
}

/* --- the stream --- */

static void html_drop(void *self)
{
	struct html_archive *a = self;
	if (a == NULL)
		return;
	format_names_release(&a->meant);
	free(a->person_posts);
	json_doc_free(a->json);
	io_spool_close(&a->spool);
	free(a->entries);
	for (size_t i = 0; i < a->channels_count; i++) {
		free(a->channels[i].months);
		free(a->channels[i].pages);
	}
	free(a->channels);
	html_search_free(a->search);
	struct ark_buf *const bufs[] = { &a->html, &a->text, &a->href, &a->piece, &a->page };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_release(bufs[i]);
	free(a);
}

static enum ark_rc html_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	struct html_archive *a = ark_calloc(1, sizeof(*a));
	*self = a;
	a->run = run;
	a->names = (struct html_names){ is_user, find_channel, find_emoji, a };
	a->spool = IO_SPOOL_NONE;
	a->page_day = -1;
	struct ark_buf *const bufs[] = { &a->html, &a->text, &a->href, &a->piece, &a->page };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_init(bufs[i], HTML_BUFFER);
	a->person_posts = ark_calloc(run->people_count + 1, sizeof(*a->person_posts));
	a->json = json_doc_new();
	a->search = html_search_new();
	format_names_init(&a->meant, run);
	return html_assets(a, err);
}

static enum ark_rc html_channel_begin(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct html_archive *a = self;
	(void)err;
	if (a->channels_count == a->channels_cap) {
		a->channels_cap = a->channels_cap > 0 ? 2 * a->channels_cap : 64;
		a->channels = ark_realloc(a->channels, a->channels_cap, sizeof(*a->channels));
	}
	a->channels[a->channels_count++] = (struct html_channel){ .channel = channel };
	return ARK_OK;
}

static enum ark_rc html_record(void *self, const struct export_record *record, struct ark_err *err)
{
	return html_pages_add(self, record, err);
}

static enum ark_rc html_channel_end(void *self, const struct export_channel *channel, struct ark_err *err)
{
	struct html_archive *a = self;
	(void)channel;
	enum ark_rc rc = html_pages_flush(a, true, err);
	if (rc == ARK_OK)
		rc = html_overview_channel(a, &a->channels[a->channels_count - 1], err);
	return rc;
}

static enum ark_rc html_end(void *self, struct ark_err *err)
{
	struct html_archive *a = self;
	enum ark_rc rc = html_search_end(a->search, a->run->out, err);
	return rc < 0 ? rc : html_overview_end(a, err);
}

const struct export_format EXPORT_HTML = {
	.name = "html",
	.alone = true,
	.wants_members = true,
	.begin = html_begin,
	.channel_begin = html_channel_begin,
	.record = html_record,
	.channel_end = html_channel_end,
	.end = html_end,
	.drop = html_drop,
};
