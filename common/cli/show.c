/* --show-config, and the answers that need no command to run. */
#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/cli/private.h"
#include "common/cli/render.h"

#include "common/base/banned.h"

static void list_text(const struct ark_list *list, struct ark_buf *out)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			ark_buf_z(out, ", ");
		ark_talk_clean(out, ark_str_z(list->items[i]));
	}
}

static void maybe_text(const struct ark_maybe *maybe, struct ark_buf *out)
{
	if (maybe->text != NULL)
		ark_talk_clean(out, ark_str_z(maybe->text));
	else
		ark_buf_z(out, maybe->given ? "yes" : "no");
}

static bool is_empty(const struct ark_option *o, const void *field)
{
	return (o->type == ARK_TEXT && *(const char *const *)field == NULL) ||
	       (o->type == ARK_LIST && ((const struct ark_list *)field)->count == 0) ||
	       (o->type == ARK_TIME && !((const struct ark_when *)field)->has);
}

/* The value as text, fit for a terminal: "yes", "8", "2024-05-01T00:00:00.000Z", "***", "" when
 * there is none; list items joined by ", ". */
static void ark_value_text(const struct ark_option *option, const void *config, struct ark_buf *out)
{
	const void *field = (const char *)config + option->at;
	char iso[ARK_TIME_ISO];
	if (is_empty(option, field))
		return;
	if ((option->flags & ARK_SECRET) != 0) {
		ark_buf_z(out, "***");
		return;
	}
	switch (option->type) {
	case ARK_FLAG: ark_buf_z(out, *(const bool *)field ? "yes" : "no"); break;
	case ARK_COUNT: ark_buf_i64(out, *(const int *)field); break;
	case ARK_TEXT: ark_talk_clean(out, ark_str_z(*(const char *const *)field)); break;
	case ARK_LIST: list_text(field, out); break;
	case ARK_NUMBER: ark_buf_i64(out, *(const int64_t *)field); break;
	case ARK_SIZE: ark_buf_u64(out, *(const uint64_t *)field); break;
	case ARK_CHOICE: ark_buf_z(out, option->words[*(const int *)field]); break;
	case ARK_MAYBE: maybe_text(field, out); break;
	case ARK_TIME:
		ark_time_iso(((const struct ark_when *)field)->ms, iso);
		ark_buf_z(out, iso);
		break;
	case ARK_HEADING: break;
	}
}

static void show_one(const struct ark_option *o, const void *config, struct ark_origin origin,
                     struct ark_talk *talk)
{
	ark_auto(ark_buf_release) struct ark_buf value;
	ark_buf_init(&value, LIMIT_EVENT);
	ark_value_text(o, config, &value);
	if (value.len == 0 && origin.rank == ARK_FROM_DEFAULT)
		ark_out(talk, "%-20s   (not set)", o->name);
	else
		ark_out(talk, "%-20s = %s  (%s)", o->name, value.data, origin.text);
	struct ark_event e;
	ark_event_begin(&e, "option", "config.option");
	ark_event_text(&e, "name", ark_str_z(o->name));
	ark_event_text(&e, "value", value.len > 0 ? ark_buf_view(&value) : ARK_STR_NONE);
	ark_event_text(&e, "origin", ark_str_z(origin.text));
	ark_event_send(&e, talk);
}

void ark_show_config(const struct ark_args *args, const void *config, struct ark_talk *talk)
{
	for (size_t i = 0; i < ark_rows(args->tool); i++) {
		bool common;
		const struct ark_option *o = ark_row(args->tool, i, &common);
		if (o->type == ARK_HEADING || (o->flags & (ARK_HIDDEN | ARK_ONLY_ARGV)) != 0 ||
		    !ark_option_applies(args->tool, o, args->command))
			continue;
		show_one(o, common ? &args->common : config, args->origins[i], talk);
	}
}

void ark_answer(const struct ark_args *args, struct ark_talk *talk)
{
	const struct ark_tool *tool = args->tool;
	const struct ark_common *c = &args->common;
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, LIMIT_EVENT);
	if (c->render == ARK_RENDER_MAN)
		ark_render_man(tool, &out);
	else if (c->render == ARK_RENDER_BASH)
		ark_render_bash(tool, &out);
	else if (c->render == ARK_RENDER_ZSH)
		ark_render_zsh(tool, &out);
	else if (c->render == ARK_RENDER_FISH)
		ark_render_fish(tool, &out);
	else if (c->render == ARK_RENDER_JSON || c->options_json)
		ark_render_json(tool, &out);
	else if (c->help)
		ark_render_help(tool, args->command, &out);
	else
		ark_buf_fmt(&out, "%s %s\n", tool->name, tool->version);
	ark_write(talk, &out);
}
