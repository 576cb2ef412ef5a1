/* From the structures of a run to the plain data of its report. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/load.h"
#include "import/load/team.h"
#include "import/report/private.h"

#include "common/base/banned.h"

/* Longest list of names that stands for a direct conversation. */
#define NAMES_BYTES 200

static void fill_archives(const struct slack_export *x, struct import_report *out)
{
	out->archives = ark_calloc(x->sources_count + 1, sizeof(*out->archives));
	out->archives_count = x->sources_count;
	for (uint32_t i = 0; i < x->sources_count; i++) {
		const struct slack_source *s = &x->sources[i];
		out->archives[i] = (struct report_archive){
			.name = report_base_name(s->path),
			.newest_ms = s->newest_us / 1000,
			.entries = s->entries,
			.day_files = s->day_files,
			.body_files = s->body_files,
			.other_files = s->other_files,
			.unsafe_names = s->unsafe_names,
			.bad_entries = s->bad_entries,
			.list_damage = s->list_damage,
			.has_users = s->has_users,
		};
	}
}

static int by_folder(const void *a, const void *b)
{
	const struct report_workspace *x = a, *y = b;
	return ark_str_cmp(x->folder, y->folder);
}

static void fill_workspaces(const struct load *l, struct import_report *out)
{
	uint32_t count = l->x->workspaces_count;
	out->workspaces = ark_calloc(count + (size_t)1, sizeof(*out->workspaces));
	out->workspaces_count = count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t team = l->by_workspace ? l->team_of_workspace[i + 1] : 0;
		out->workspaces[i] = (struct report_workspace){ .folder = l->x->workspaces[i].folder,
			                                        .id = l->x->workspaces[i].team,
			                                        .team = ark_str_z(l->teams[team].name) };
	}
	qsort(out->workspaces, count, sizeof(*out->workspaces), by_folder);
}

static struct ark_str text_or(struct ark_str a, struct ark_str b)
{
	return a.len > 0 ? a : b;
}

/* "anna, ben": direct conversations have no name of their own. */
static struct ark_str members_text(const struct load *l, const struct load_target *t,
                                   struct ark_pool *pool)
{
	ark_auto(ark_buf_release) struct ark_buf names;
	ark_buf_init(&names, SIZE_MAX / 2);
	struct ark_number_iter it = ark_numbers_read(&t->members);
	for (uint32_t m; names.len < NAMES_BYTES && ark_numbers_next(&it, &m);) {
		const struct slack_person *p = &l->x->people.list[m];
		ark_buf_z(&names, names.len > 0 ? ", " : "");
		ark_buf_str(&names, text_or(p->username, p->key));
	}
	return names.len > 0 ? ark_pool_str(pool, ark_buf_view(&names)) : t->slack_name;
}

static uint32_t count_live(const struct load *l, const struct load_target *t)
{
	uint32_t n = 0;
	struct ark_number_iter it = ark_numbers_read(&t->members);
	for (uint32_t m; ark_numbers_next(&it, &m);) {
		const struct slack_person *p = &l->x->people.list[m];
		n += p->active && p->kind == PERSON_HUMAN;
	}
	return n;
}

static struct report_channel channel_of(const struct load *l, const struct load_target *t,
                                        struct ark_pool *pool)
{
	bool direct = t->type == 'D' || t->type == 'G';
	bool known = t->first_conv < l->x->convs.count;
	const struct slack_conv *c = known ? &l->x->convs.list[t->first_conv] : NULL;
	return (struct report_channel){
		.slack_id = known ? c->id : ARK_LIT(""),
		.slack_name = direct ? members_text(l, t, pool) : t->slack_name,
		.name = t->skipped ? ARK_STR_NONE : t->name,
		.display = t->skipped ? ARK_STR_NONE : t->display,
		.type = t->skipped ? 0 : t->type,
		.team = t->skipped || direct ? ARK_STR_NONE : ark_str_z(l->teams[t->team].name),
		.existed = t->existed,
		.archived = t->archived_ms != 0 || (known && c->archived),
		.left_out = t->skipped ? t->skip : SKIP_NONE,
		.count = t->count,
		.first_ms = t->first_post_ms,
		.last_ms = t->last_post_ms,
		.members = t->members.count,
		.members_live = t->skipped ? 0 : count_live(l, t),
	};
}

static int by_weight(const void *a, const void *b)
{
	const struct report_channel *x = a, *y = b;
	bool x_out = x->left_out != SKIP_NONE, y_out = y->left_out != SKIP_NONE;
	if (x_out != y_out)
		return x_out ? 1 : -1;
	if (x->count.read != y->count.read)
		return x->count.read > y->count.read ? -1 : 1;
	return ark_str_cmp(x->slack_id, y->slack_id);
}

static void fill_channels(const struct load *l, struct import_report *out)
{
	out->channels = ark_calloc(l->targets_count + (size_t)1, sizeof(*out->channels));
	for (uint32_t i = 0; i < l->targets_count; i++) {
		const struct load_target *t = &l->targets[i];
		/* the default channels of a new team that nothing of Slack went into */
		if (t->first_conv == CONV_NONE && t->count.read == 0)
			continue;
		out->channels[out->channels_count++] = channel_of(l, t, &out->strings);
	}
	qsort(out->channels, out->channels_count, sizeof(*out->channels), by_weight);
}

static enum report_status status_of(const struct slack_person *p)
{
	if (p->kind != PERSON_HUMAN)
		return REPORT_BOT;
	if (p->merged)
		return REPORT_MERGED;
	if (p->matched && !p->ours)
		return REPORT_MATCHED;
	return p->listed ? REPORT_CREATED : REPORT_PLACEHOLDER; /* by this run or an earlier one */
}

/* Did the account get the address of Slack? The map of addresses says who has which. */
static bool has_address(const struct load *l, uint32_t person)
{
	struct ark_str email = ark_str_trim(l->x->people.list[person].email);
	ark_auto(ark_buf_release) struct ark_buf lower;
	ark_buf_init(&lower, SIZE_MAX / 2);
	for (size_t i = 0; i < email.len; i++) {
		char c = email.ptr[i];
		ark_buf_c(&lower, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	return lower.len > 0 && ark_map_get(&l->emails, ark_buf_view(&lower)) == person;
}

static struct report_person person_of(const struct load *l, uint32_t person)
{
	const struct slack_person *p = &l->x->people.list[person];
	enum report_status status = status_of(p);
	return (struct report_person){
		.slack_id = p->key,
		.username = p->username,
		.slack_name = text_or(p->name, p->display_name),
		.real_name = p->real_name,
		.email = p->email,
		.status = status,
		.active = p->active,
		.deleted = p->deleted,
		.guest = p->guest,
		.admin = p->admin,
		.owner = p->owner,
		.mailless = status == REPORT_CREATED && p->active && !has_address(l, person),
		.posts = p->posts,
	};
}

static int by_id(const void *a, const void *b)
{
	const struct report_person *x = a, *y = b;
	return ark_str_cmp(x->slack_id, y->slack_id);
}

/* People in the team with the most of them; in a single one all that have an account count, see below. */
static uint64_t largest_team(const struct load *l)
{
	const struct slack_people *people = &l->x->people;
	ark_auto(ark_freep) bool *member = ark_calloc(people->count + (size_t)1, sizeof(*member));
	uint64_t most = 0;
	for (uint32_t t = 0; t < l->teams_count; t++) {
		uint64_t n = l->teams[t].before;
		if (l->by_workspace)
			team_members(l, t, member);
		for (uint32_t i = 0; l->by_workspace && i < people->count; i++)
			n += member[i] && people->list[i].active;
		most = n > most ? n : most;
	}
	return most;
}

static void fill_people(const struct load *l, struct import_report *out)
{
	const struct slack_people *people = &l->x->people;
	out->team_people = largest_team(l);
	out->active_users = l->report.active_before;
	out->people = ark_calloc(people->count + (size_t)1, sizeof(*out->people));
	for (uint32_t i = 0; i < people->count; i++) {
		const struct slack_person *p = &people->list[i];
		if (!p->used && !p->matched && !p->merged) {
			out->people_without_account += p->listed;
			continue;
		}
		out->people[out->people_count++] = person_of(l, i);
		if (p->merged)
			continue;
		if (!l->by_workspace)
			out->team_people += p->active && p->used;
		out->active_users += p->active && p->kind == PERSON_HUMAN;
	}
	qsort(out->people, out->people_count, sizeof(*out->people), by_id);
}

void import_report_from_load(const struct load *l, struct import_report *out)
{
	out->run = ark_str_z(l->run);
	out->workspace = l->workspace;
	out->several_teams = l->by_workspace && l->teams_count > 1;
	out->team = out->several_teams ? ARK_STR_NONE : ark_str_z(l->teams[0].name);
	out->team_display = out->several_teams ? ARK_STR_NONE : ark_str_z(l->teams[0].display);
	out->database_new = l->fresh;
	out->start_ms = l->start_ms;
	out->total = l->report.total;
	out->reactions_invisible = l->report.reactions_invisible;
	out->reactions_cut = l->report.reactions_cut;
	out->months = l->report.months;
	out->months_count = l->report.months_count;
	out->folder_clashes = l->x->convs.folder_clashes;
	fill_archives(l->x, out);
	fill_workspaces(l, out);
	fill_channels(l, out);
	fill_people(l, out);
}

void import_report_release(struct import_report *r)
{
	free(r->archives);
	free(r->workspaces);
	free(r->channels);
	free(r->people);
	ark_pool_release(&r->strings);
	*r = (struct import_report){ 0 };
}
