#include "import/load/team.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/rows.h"
#include "import/load/target.h"
#include "import/translate/id.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

static uint32_t append(struct load *l, struct ark_str name, struct ark_str display)
{
	l->teams = ark_realloc(l->teams, l->teams_count + 1, sizeof(*l->teams));
	struct load_team *t = &l->teams[l->teams_count];
	*t = (struct load_team){ .name = ark_pool_str(&l->strings, name).ptr,
		                 .display = ark_pool_str(&l->strings, display).ptr,
		                 .town_square = TARGET_NONE, .off_topic = TARGET_NONE };
	return l->teams_count++;
}

void teams_release(struct load *l)
{
	for (uint32_t i = 0; i < l->teams_count; i++) {
		ark_map_release(&l->teams[i].channel_names);
		ark_map_release(&l->teams[i].channel_numbers);
	}
	free(l->teams);
	free(l->team_of_workspace);
	l->teams = NULL;
	l->team_of_workspace = NULL;
	l->teams_count = 0;
}

/* ---- the names ---- */

static enum ark_rc refuse_name(const struct load *l, const struct slack_workspace *w, struct ark_str name,
                               struct ark_err *err)
{
	if (w == NULL) {
		ark_err_set(err, ARK_KIND_USAGE, "'%s' is no name that Mattermost takes for a team", l->set.team);
		ark_err_hint(err, "the URL name: small letters, digits and dashes between them, 2 to 64 bytes, "
		                  "not beginning with a word of Mattermost's own such as admin or api; "
		                  "--team-name is for people");
		return ARK_FAIL;
	}
	ark_err_set(err, ARK_KIND_USAGE, "workspace '%.*s': '%.*s' is no name that Mattermost takes for a team",
	            ARK_FMT(w->folder), ARK_FMT(name));
	ark_err_hint(err, "name another one in --team-map, a CSV file with the columns workspace and team");
	return ARK_FAIL;
}

static const struct mapfile_row *mapped(const struct load *l, const struct slack_workspace *w)
{
	if (l->set.team_map == NULL)
		return NULL;
	const struct mapfile_row *row = mapfile_find(l->set.team_map, w->folder);
	return row != NULL || !ark_str_has(w->team) ? row : mapfile_find(l->set.team_map, w->team);
}

/* A row that names no workspace is a slip that would put things into the wrong team. */
static enum ark_rc check_map(const struct load *l, struct ark_err *err)
{
	for (uint32_t i = 0; l->set.team_map != NULL && i < l->set.team_map->count; i++) {
		const struct mapfile_row *row = &l->set.team_map->rows[i];
		bool found = false;
		for (uint32_t w = 0; w < l->x->workspaces_count && !found; w++)
			found = ark_str_eq(row->key, l->x->workspaces[w].folder) ||
			        ark_str_eq(row->key, l->x->workspaces[w].team);
		if (found)
			continue;
		ark_err_set(err, ARK_KIND_INPUT, "--team-map, line %llu: there is no workspace '%.*s' in the archive",
		            (unsigned long long)row->line, ARK_FMT(row->key));
		ark_err_hint(err, "a workspace is called after its folder below teams/, or by its id (T...)");
		return ARK_FAIL;
	}
	return ARK_OK;
}

/* Two that become one by chance would mix what two companies wrote. */
static enum ark_rc refuse_twin(const struct slack_workspace *w, const char *name, struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_USAGE, "workspace '%.*s': another workspace goes into team '%s' already",
	            ARK_FMT(w->folder), name);
	ark_err_hint(err, "say in --team-map which team each of them goes into; it may be one for both");
	return ARK_FAIL;
}

static enum ark_rc plan_workspace(struct load *l, uint32_t number, bool *chosen, struct ark_err *err)
{
	const struct slack_workspace *w = &l->x->workspaces[number - 1];
	const struct mapfile_row *row = mapped(l, w);
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 4096);
	if (row != NULL)
		ark_buf_str(&name, row->value);
	else
		name_team(w->folder, &name);
	if (!name_team_valid(ark_buf_view(&name)))
		return refuse_name(l, w, ark_buf_view(&name), err);
	uint32_t at = 0;
	while (at < l->teams_count && !ark_str_eqz(ark_buf_view(&name), l->teams[at].name))
		at++;
	if (at < l->teams_count && (row == NULL || !chosen[at]))
		return refuse_twin(w, l->teams[at].name, err);
	if (at == l->teams_count)
		append(l, ark_buf_view(&name), row != NULL ? ark_buf_view(&name) : w->folder);
	chosen[at] = row != NULL;
	l->team_of_workspace[number] = at;
	return ARK_OK;
}

static enum ark_rc refuse_option(const char *option, struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_USAGE, "%s means one team, and this organisation has several", option);
	ark_err_hint(err, "--team NAME puts all of its workspaces into one");
	return ARK_FAIL;
}

static int by_folder(const void *a, const void *b, void *ctx)
{
	const struct slack_workspace *w = ctx;
	return ark_str_cmp(w[*(const uint32_t *)a - 1].folder, w[*(const uint32_t *)b - 1].folder);
}

static enum ark_rc plan_workspaces(struct load *l, struct ark_err *err)
{
	uint32_t count = l->x->workspaces_count;
	ark_auto(ark_freep) uint32_t *order = ark_calloc(count + 1, sizeof(*order));
	ark_auto(ark_freep) bool *chosen = ark_calloc(count + 1, sizeof(*chosen));
	l->team_of_workspace = ark_calloc(count + 1, sizeof(*l->team_of_workspace));
	l->team_of_workspace[0] = TEAM_NONE;
	for (uint32_t i = 0; i < count; i++)
		order[i] = i + 1;
	qsort_r(order, count, sizeof(*order), by_folder, l->x->workspaces);
	enum ark_rc rc = check_map(l, err);
	for (uint32_t i = 0; i < count && rc == ARK_OK; i++)
		rc = plan_workspace(l, order[i], chosen, err);
	if (rc < 0 || l->teams_count <= 1)
		return rc;
	return l->set.into_channel != NULL  ? refuse_option("--into-channel", err)
	       : l->set.team_display != NULL ? refuse_option("--team-name", err)
	       : l->set.adopt                ? refuse_option("--adopt", err)
	                                     : ARK_OK;
}

enum ark_rc teams_plan(struct load *l, struct ark_err *err)
{
	teams_release(l);
	l->by_workspace = l->x->grid && l->set.team == NULL && l->x->workspaces_count > 0;
	if (l->by_workspace)
		return plan_workspaces(l, err);
	if (l->set.team_map != NULL) {
		ark_err_set(err, ARK_KIND_USAGE, "--team-map is for exports of an organisation, without --team");
		return ARK_FAIL;
	}
	append(l, ark_str_z(l->set.team), ark_str_z(l->set.team_display));
	return ARK_OK;
}

void teams_known(struct load *l, struct ark_str id, struct ark_str name)
{
	for (uint32_t i = 0; i < l->teams_count; i++)
		if (ark_str_eqz(id, l->teams[i].id))
			return;
	uint32_t at = append(l, name, name);
	memcpy(l->teams[at].id, id.ptr, MM_ID_LEN);
}

void teams_make(struct load *l, bool every)
{
	for (uint32_t i = 0; i < l->teams_count; i++) {
		struct load_team *t = &l->teams[i];
		t->made |= every;
		if (t->made)
			id_derive(l->hash, l->workspace, "team", ark_str_z(t->name), ARK_LIT(""), 0, 0, t->id);
	}
}

enum ark_rc teams_valid(const struct load *l, struct ark_err *err)
{
	for (uint32_t i = 0; i < l->teams_count; i++)
		if (l->teams[i].made && !name_team_valid(ark_str_z(l->teams[i].name)))
			return refuse_name(l, NULL, ARK_STR_NONE, err);
	return ARK_OK;
}

uint32_t team_by_id(const struct load *l, const char *id)
{
	for (uint32_t i = 0; i < l->teams_count; i++)
		if (strcmp(l->teams[i].id, id) == 0)
			return i;
	return TEAM_NONE;
}

uint32_t team_of(const struct load *l, uint32_t conv)
{
	return l->by_workspace ? l->team_of_workspace[l->x->convs.list[conv].home] : 0;
}

/* ---- members ---- */

static bool belongs(const struct load *l, uint32_t person)
{
	const struct slack_person *p = &l->x->people.list[person];
	return p->kind == PERSON_HUMAN && p->listed && !p->deleted && !p->merged && rows_account(l, person);
}

void team_members(const struct load *l, uint32_t team, bool *member)
{
	const struct slack_people *people = &l->x->people;
	for (uint32_t i = 0; i < people->count; i++)
		member[i] = !l->by_workspace && team == 0 && belongs(l, i);
	for (uint32_t w = 0; l->by_workspace && w < l->x->workspaces_count; w++) {
		const struct slack_workspace *x = &l->x->workspaces[w];
		for (uint32_t i = 0; l->team_of_workspace[w + 1] == team && i < x->people_count; i++) {
			uint32_t person = slack_people_leader(people, x->people[i].person);
			member[person] |= !x->people[i].deleted && belongs(l, person);
		}
	}
	for (uint32_t t = 0; t < l->targets_count; t++) {
		const struct load_target *x = &l->targets[t];
		struct ark_number_iter it = ark_numbers_read(&x->members);
		for (uint32_t m; !x->skipped && x->team == team && !target_is_direct(x) && ark_numbers_next(&it, &m);)
			member[m] = true;
	}
}
