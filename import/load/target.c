#include "import/load/target.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "import/load/spill.h"
#include "import/load/team.h"
#include "import/load/unique.h"
#include "import/translate/id.h"
#include "import/translate/names.h"
#include "import/translate/text.h"

#include "common/base/banned.h"

static uint32_t append(struct load *l)
{
	if (l->targets_count == l->targets_cap) {
		l->targets_cap = l->targets_cap == 0 ? 64 : l->targets_cap * 2;
		l->targets = ark_realloc(l->targets, l->targets_cap, sizeof(*l->targets));
	}
	uint32_t at = l->targets_count++;
	l->targets[at] = (struct load_target){ .creator = PERSON_NONE, .first_conv = CONV_NONE };
	ark_buf_init(&l->targets[at].records, SIZE_MAX / 2);
	return at;
}

void targets_release(struct load *l)
{
	for (uint32_t i = 0; i < l->targets_count; i++) {
		ark_numbers_release(&l->targets[i].members);
		ark_buf_release(&l->targets[i].records);
		load_spill_free(l->targets[i].spill);
	}
	free(l->targets);
	l->targets = NULL;
	l->targets_count = l->targets_cap = 0;
}

bool target_is_direct(const struct load_target *t)
{
	return t->type == 'D' || t->type == 'G';
}

void targets_taken(struct load *l, uint32_t team, struct ark_str name)
{
	ark_map_put(&l->teams[team].channel_names, name, 0);
}

static struct ark_str keep(struct load *l, const struct ark_buf *b)
{
	return ark_pool_str(&l->strings, ark_buf_view(b));
}

/* ---- names and texts ---- */

static void give_name(struct load *l, struct load_target *t, struct ark_str from, struct ark_str id)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, 1024);
	size_t colon = ark_str_find(id, ':', 0);
	if (colon != SIZE_MAX)
		id = ark_str_from(id, colon + 1);
	struct load_team *team = &l->teams[t->team];
	name_channel(from, id, &name);
	if (ark_map_get(&team->channel_names, ark_buf_view(&name)) != ARK_MAP_NONE) {
		ark_auto(ark_buf_release) struct ark_buf base;
		ark_buf_init(&base, 1024);
		name_channel_with_id(ark_buf_view(&name), id, &base);
		ark_buf_reset(&name);
		unique_name(&team->channel_names, &team->channel_numbers, ARK_MAP_NONE, ark_buf_view(&base), &name);
	}
	t->name = keep(l, &name);
	targets_taken(l, t->team, t->name);
}

/* Texts of a channel of one team. */
struct world {
	struct load *l;
	uint32_t team;
};

static bool world_user(void *ctx, struct ark_str id, struct ark_str *out)
{
	struct load *l = ((struct world *)ctx)->l;
	uint32_t person = slack_people_need(&l->x->people, id);
	if (person == PERSON_NONE)
		return false;
	l->x->people.list[person].used = true;
	*out = l->x->people.list[person].username;
	return true;
}

static bool world_channel(void *ctx, struct ark_str id, struct ark_str *out)
{
	const struct world *w = ctx;
	uint32_t conv = slack_convs_find(&w->l->x->convs, id);
	return conv != CONV_NONE && w->l->x->convs.list[conv].target < w->l->targets_count &&
	       target_mention(w->l, w->team, conv, out);
}

static bool world_elsewhere(void *ctx, struct ark_str id, struct ark_str *out)
{
	const struct world *w = ctx;
	uint32_t conv = slack_convs_find(&w->l->x->convs, id);
	return conv != CONV_NONE && w->l->x->convs.list[conv].target < w->l->targets_count &&
	       target_elsewhere(w->l, w->team, conv, out);
}

static bool world_none(void *ctx, struct ark_str id, struct ark_str *out)
{
	(void)ctx;
	(void)id;
	(void)out;
	return false;
}

static bool world_message(void *ctx, struct ark_str channel, struct ark_str ts, struct ark_str *out)
{
	(void)ts;
	return world_none(ctx, channel, out);
}

/* At most `runes`, cut at a blank where one is near; the rest is written to `rest`. */
static struct ark_str cut_words(struct ark_str s, size_t runes, struct ark_str *rest)
{
	struct ark_str first = ark_utf8_first(s, runes);
	*rest = ark_str_from(s, first.len);
	if (rest->len == 0)
		return first;
	for (size_t i = first.len; i > first.len / 2; i--) {
		if (first.ptr[i - 1] == ' ' || first.ptr[i - 1] == '\n') {
			*rest = ark_str_from(s, i);
			return ark_str_trim(ark_str_first(s, i));
		}
	}
	return first;
}

/* Topic to header, purpose to purpose; what is too long for the purpose goes behind the header. */
static void give_texts(struct load *l, struct load_target *t, const struct slack_conv *c)
{
	struct world of = { l, t->team };
	struct text_world world = { .ctx = &of, .user = world_user, .channel = world_channel,
		                    .elsewhere = world_elsewhere, .group = world_none,
		                    .emoji = world_none, .message = world_message };
	ark_auto(ark_buf_release) struct ark_buf header;
	ark_auto(ark_buf_release) struct ark_buf purpose;
	ark_buf_init(&header, LIMIT_TEXT);
	ark_buf_init(&purpose, LIMIT_TEXT);
	if (ark_str_has(c->topic))
		text_translate(&world, c->topic, 0, &header);
	if (ark_str_has(c->purpose))
		text_plain(&world, c->purpose, &purpose);
	struct ark_str rest, none;
	struct ark_str shown = cut_words(ark_buf_view(&purpose), MM_CHANNEL_PURPOSE_RUNES, &rest);
	if (rest.len > 0) {
		ark_buf_z(&header, header.len > 0 ? "\n" : "");
		ark_buf_str(&header, ark_str_trim(rest));
	}
	ark_auto(ark_buf_release) struct ark_buf clean;
	ark_buf_init(&clean, LIMIT_TEXT);
	ark_utf8_clean(&clean, shown);
	t->purpose = keep(l, &clean);
	ark_buf_reset(&clean);
	ark_utf8_clean(&clean, cut_words(ark_buf_view(&header), MM_CHANNEL_HEADER_RUNES, &none));
	t->header = keep(l, &clean);
}

static void give_display(struct load *l, struct load_target *t, struct ark_str name)
{
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 4096);
	name_shown(name, MM_CHANNEL_DISPLAY_RUNES, &shown);
	t->display = shown.len > 0 ? keep(l, &shown) : t->name;
}

/* ---- members ---- */

static bool gets_account(const struct load *l, const struct slack_person *p)
{
	return !p->guest || l->set.guests != GUESTS_SKIP || p->matched;
}

static void add_members(struct load *l, struct load_target *t, const struct slack_conv *c)
{
	uint32_t count = t->members.count;
	ark_auto(ark_freep) uint32_t *all = ark_malloc(((size_t)count + c->members.count + 1) * sizeof(*all));
	struct ark_number_iter it = ark_numbers_read(&t->members);
	for (uint32_t i = 0; ark_numbers_next(&it, &all[i]);)
		i++;
	it = ark_numbers_read(&c->members);
	for (uint32_t m; ark_numbers_next(&it, &m);) {
		uint32_t person = slack_people_leader(&l->x->people, m);
		struct slack_person *p = &l->x->people.list[person];
		if (!gets_account(l, p))
			continue;
		p->used = true;
		all[count++] = person;
	}
	ark_numbers_pack(&t->members, all, ark_numbers_unique(all, count));
}

static int by_mm_id(const void *a, const void *b, void *ctx)
{
	const struct load *l = ctx;
	return memcmp(l->x->people.list[*(const uint32_t *)a].mm_id,
	              l->x->people.list[*(const uint32_t *)b].mm_id, MM_ID_LEN);
}

/* ---- kinds ---- */

static void direct_name(struct load *l, struct load_target *t)
{
	char name[2 * MM_ID_LEN + 3];
	ark_auto(ark_freep) uint32_t *members = ark_numbers_unpack(&t->members);
	const char *a = l->x->people.list[members[0]].mm_id;
	const char *b = l->x->people.list[members[t->members.count - 1]].mm_id;
	bool swap = memcmp(a, b, MM_ID_LEN) > 0;
	memcpy(name, swap ? b : a, MM_ID_LEN);
	memcpy(name + MM_ID_LEN, "__", 2);
	memcpy(name + MM_ID_LEN + 2, swap ? a : b, MM_ID_LEN);
	t->name = ark_pool_str(&l->strings, ark_str_n(name, 2 * MM_ID_LEN + 2));
	t->display = ARK_LIT("");
}

static int by_text(const void *a, const void *b)
{
	return ark_str_cmp(*(const struct ark_str *)a, *(const struct ark_str *)b);
}

static void group_name(struct load *l, struct load_target *t)
{
	ark_auto(ark_freep) uint32_t *sorted = ark_numbers_unpack(&t->members);
	uint32_t count = t->members.count;
	struct ark_str names[MM_GROUP_MEMBERS_MAX];
	qsort_r(sorted, count, sizeof(sorted[0]), by_mm_id, l);
	char ids[MM_GROUP_MEMBERS_MAX * MM_ID_LEN];
	for (uint32_t i = 0; i < count; i++) {
		memcpy(ids + i * MM_ID_LEN, l->x->people.list[sorted[i]].mm_id, MM_ID_LEN);
		names[i] = l->x->people.list[sorted[i]].username;
	}
	unsigned char digest[20];
	char hex[41];
	crypt_sha1(ids, count * (size_t)MM_ID_LEN, digest);
	crypt_hex(digest, sizeof(digest), hex);
	t->name = ark_pool_str(&l->strings, ark_str_n(hex, 40));
	qsort(names, count, sizeof(names[0]), by_text);
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 4096);
	for (uint32_t i = 0; i < count; i++) {
		ark_buf_z(&shown, i > 0 ? ", " : "");
		ark_buf_str(&shown, names[i]);
	}
	t->display = ark_pool_str(&l->strings, ark_utf8_first_bytes(ark_buf_view(&shown),
	                                                            MM_CHANNEL_DISPLAY_RUNES));
}

static void common_parts(const struct load *l, struct load_target *t, uint32_t conv)
{
	const struct slack_conv *c = &l->x->convs.list[conv];
	t->created_ms = c->created_ms;
	t->creator = slack_people_leader(&l->x->people, c->creator);
	t->first_conv = conv;
	t->slack_name = ark_str_has(c->name) ? c->name : c->id;
}

/* An earlier run made a channel for this conversation: its id and name stay. */
static bool use_known(struct load *l, struct load_target *t, struct ark_str slack_id)
{
	uint32_t k = ark_map_get(&l->known_channels, slack_id);
	if (k == ARK_MAP_NONE)
		return false;
	memcpy(t->id, l->known[k].id, sizeof(t->id));
	t->name = l->known[k].name;
	t->existed = true;
	uint32_t team = l->x->grid ? team_by_id(l, l->known[k].team_id) : TEAM_NONE;
	if (team != TEAM_NONE)
		t->team = team;
	return true;
}

static uint32_t make_direct(struct load *l, uint32_t conv)
{
	const struct slack_conv *c = &l->x->convs.list[conv];
	uint32_t at = append(l);
	struct load_target *t = &l->targets[at];
	add_members(l, t, c);
	t->type = t->members.count <= 2 ? 'D' : 'G';
	if (t->type == 'D')
		direct_name(l, t);
	else
		group_name(l, t);
	t->header = t->purpose = ARK_LIT("");
	common_parts(l, t, conv);
	uint32_t twin = ark_map_get(&l->direct_names, t->name);
	if (twin != ARK_MAP_NONE) { /* the same people again: one channel */
		ark_numbers_release(&t->members);
		l->targets_count--;
		return twin;
	}
	ark_map_put(&l->direct_names, t->name, at);
	if (!use_known(l, t, c->id))
		id_derive(l->hash, l->workspace, "channel", c->id, ARK_LIT(""), 0, 0, t->id);
	return at;
}

/* People's names joined, for a group that is too large to be one in Mattermost. */
static void crowd_display(struct load *l, const struct slack_conv *c, struct ark_buf *out)
{
	struct ark_number_iter it = ark_numbers_read(&c->members);
	for (uint32_t m; ark_numbers_next(&it, &m);) {
		const struct slack_person *p = &l->x->people.list[m];
		ark_buf_z(out, out->len > 0 ? ", " : "");
		ark_buf_str(out, ark_str_has(p->real_name) ? p->real_name : p->username);
	}
}

static uint32_t make_channel(struct load *l, uint32_t conv, char type)
{
	const struct slack_conv *c = &l->x->convs.list[conv];
	uint32_t at = append(l);
	struct load_target *t = &l->targets[at];
	t->type = type;
	common_parts(l, t, conv);
	add_members(l, t, c);
	t->team = team_of(l, conv) != TEAM_NONE ? team_of(l, conv) : 0;
	if (!use_known(l, t, c->id)) {
		id_derive(l->hash, l->workspace, "channel", c->id, ARK_LIT(""), 0, 0, t->id);
		give_name(l, t, ark_str_has(c->name) ? c->name : ARK_LIT(""), c->id);
	}
	if (c->kind == CONV_GROUP || c->kind == CONV_DIRECT) {
		ark_auto(ark_buf_release) struct ark_buf shown;
		ark_buf_init(&shown, 1u << 20);
		crowd_display(l, c, &shown);
		give_display(l, t, shown.len > 0 ? ark_buf_view(&shown) : t->slack_name);
	} else {
		give_display(l, t, t->slack_name);
	}
	return at;
}

static uint32_t make_skipped(struct load *l, uint32_t conv, enum skip_reason skip)
{
	uint32_t at = append(l);
	common_parts(l, &l->targets[at], conv);
	l->targets[at].skipped = true;
	l->targets[at].skip = skip;
	return at;
}

/* A channel, which has to be one of a team. */
static uint32_t make_in_team(struct load *l, uint32_t conv, char type)
{
	bool known = ark_map_get(&l->known_channels, l->x->convs.list[conv].id) != ARK_MAP_NONE;
	return team_of(l, conv) == TEAM_NONE && !known ? make_skipped(l, conv, SKIP_NO_WORKSPACE)
	                                               : make_channel(l, conv, type);
}

static enum skip_reason left_out(const struct load *l, const struct slack_conv *c)
{
	if (c->kind == CONV_COMMENTS)
		return SKIP_CANVAS_COMMENT;
	uint32_t known = ark_map_get(&l->known_channels, c->id);
	if (known != ARK_MAP_NONE && l->known[known].id[0] == '\0')
		return SKIP_CHANNEL_DELETED;
	bool direct = c->kind == CONV_DIRECT || c->kind == CONV_GROUP;
	if (direct)
		return l->set.no_direct ? SKIP_OPTION_DIRECT : SKIP_NONE;
	if (l->set.channels == NULL)
		return SKIP_NONE;
	ark_auto(ark_freep) char *name = ark_strdup(c->name);
	for (size_t i = 0; i < l->set.channels_count; i++)
		if (fnmatch(l->set.channels[i], name, 0) == 0)
			return SKIP_NONE;
	return SKIP_OPTION_CHANNELS;
}

static uint32_t members_with_account(const struct load *l, const struct slack_conv *c)
{
	uint32_t n = 0;
	struct ark_number_iter it = ark_numbers_read(&c->members);
	for (uint32_t m; ark_numbers_next(&it, &m);)
		n += gets_account(l, &l->x->people.list[m]);
	return n;
}

/* Everything into one channel: --into-channel. Who is in it afterwards could read in Slack all that was not
 * public there. */
static uint32_t make_into(struct load *l, uint32_t conv)
{
	const struct slack_conv *c = &l->x->convs.list[conv];
	bool open = c->kind == CONV_PUBLIC;
	for (uint32_t i = 0; l->into == TARGET_NONE && i < l->targets_count; i++)
		if (ark_str_eqz(l->targets[i].name, l->set.into_channel)) /* town-square of a new team */
			l->into = i;
	if (l->into == TARGET_NONE) {
		l->into = append(l);
		struct load_target *t = &l->targets[l->into];
		t->type = 'O';
		t->name = ark_str_z(l->set.into_channel);
		targets_taken(l, 0, t->name);
		memcpy(t->id, l->into_id, sizeof(t->id));
		t->existed = t->id[0] != '\0';
		if (!t->existed)
			id_derive(l->hash, l->workspace, "tchannel", ark_str_z(l->teams[0].name), t->name, 0, 0, t->id);
		t->header = t->purpose = ARK_LIT("");
	}
	struct load_target *t = &l->targets[l->into];
	if (t->first_conv == CONV_NONE) {
		common_parts(l, t, conv);
		t->creator = PERSON_NONE;
		t->slack_name = t->display = t->name;
	}
	if (!open)
		t->type = 'P';
	if (open || l->into_closed == 0)
		add_members(l, t, c);
	l->into_closed += !open;
	return l->into;
}

static bool is_member(const struct load *l, const struct slack_conv *c, uint32_t person)
{
	struct ark_number_iter it = ark_numbers_read(&c->members);
	for (uint32_t m; ark_numbers_next(&it, &m);)
		if (slack_people_leader(&l->x->people, m) == person)
			return true;
	return false;
}

static void into_members(struct load *l)
{
	struct load_target *t = &l->targets[l->into];
	ark_auto(ark_freep) uint32_t *members = ark_numbers_unpack(&t->members);
	uint32_t kept = 0;
	for (uint32_t m = 0; m < t->members.count; m++) {
		bool all = true;
		for (uint32_t i = 0; i < l->x->convs.count && all && l->into_closed > 0; i++) {
			const struct slack_conv *c = &l->x->convs.list[i];
			all = c->target != l->into || c->kind == CONV_PUBLIC || is_member(l, c, members[m]);
		}
		if (all)
			members[kept++] = members[m];
	}
	ark_numbers_pack(&t->members, members, kept);
	if (l->into_type != 0 || l->into == l->teams[0].town_square || l->into == l->teams[0].off_topic)
		t->type = l->into_type != 0 ? l->into_type : 'O';
}

enum ark_rc targets_usable(const struct load *l, struct ark_err *err)
{
	if (l->into == TARGET_NONE)
		return ARK_OK;
	const struct load_target *t = &l->targets[l->into];
	if (l->into_archived)
		return ark_err_set(err, ARK_KIND_REFUSED, "channel '%.*s' is archived", ARK_FMT(t->name));
	if (t->type != 'O' || l->into_closed == 0)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "channel '%.*s' is public, and what would come into it was not "
	            "public in Slack", ARK_FMT(t->name));
	ark_err_hint(err, "name a private channel, or choose with --channels and --no-direct");
	return ARK_FAIL;
}

static uint32_t make_one(struct load *l, uint32_t conv)
{
	const struct slack_conv *c = &l->x->convs.list[conv];
	enum skip_reason skip = left_out(l, c);
	if (skip != SKIP_NONE)
		return make_skipped(l, conv, skip);
	if (l->set.into_channel != NULL)
		return make_into(l, conv);
	if (c->kind == CONV_DIRECT || c->kind == CONV_GROUP) {
		uint32_t n = members_with_account(l, c);
		return n >= 1 && n <= MM_GROUP_MEMBERS_MAX ? make_direct(l, conv) : make_in_team(l, conv, 'P');
	}
	uint32_t team = team_of(l, conv);
	uint32_t town = team != TEAM_NONE ? l->teams[team].town_square : TARGET_NONE;
	if (c->general && c->kind == CONV_PUBLIC && town != TARGET_NONE && l->set.merge_general &&
	    l->targets[town].first_conv == CONV_NONE) {
		struct load_target *t = &l->targets[town];
		common_parts(l, t, conv);
		add_members(l, t, c);
		give_display(l, t, t->slack_name);
		return town;
	}
	return make_in_team(l, conv, c->kind == CONV_PUBLIC ? 'O' : 'P');
}

static uint32_t make_default(struct load *l, uint32_t team, const char *name, const char *display)
{
	uint32_t at = append(l);
	struct load_target *t = &l->targets[at];
	t->type = 'O';
	t->team = team;
	t->name = ark_str_z(name);
	t->display = ark_str_z(display);
	t->slack_name = ARK_LIT("");
	t->header = t->purpose = ARK_LIT("");
	id_derive(l->hash, l->workspace, "tchannel", ark_str_z(l->teams[team].name), t->name, 0, 0, t->id);
	targets_taken(l, team, t->name);
	return at;
}

/* Live conversations first, then by Slack id: names come out the same on every run. */
static int by_age(const void *a, const void *b, void *ctx)
{
	const struct load *l = ctx;
	const struct slack_conv *x = &l->x->convs.list[*(const uint32_t *)a];
	const struct slack_conv *y = &l->x->convs.list[*(const uint32_t *)b];
	if (x->archived != y->archived)
		return x->archived ? 1 : -1;
	if (x->listed != y->listed)
		return x->listed ? -1 : 1;
	return ark_str_cmp(x->id, y->id);
}

void targets_make(struct load *l)
{
	l->into = TARGET_NONE;
	for (uint32_t i = 0; i < l->teams_count; i++) {
		if (!l->teams[i].made)
			continue;
		l->teams[i].town_square = make_default(l, i, "town-square", "Town Square");
		l->teams[i].off_topic = make_default(l, i, "off-topic", "Off-Topic");
	}
	uint32_t count = l->x->convs.count;
	ark_auto(ark_freep) uint32_t *order = ark_calloc(count + 1, sizeof(*order));
	for (uint32_t i = 0; i < count; i++) {
		order[i] = i;
		l->x->convs.list[i].target = TARGET_NONE;
	}
	qsort_r(order, count, sizeof(*order), by_age, l);
	for (uint32_t i = 0; i < count; i++) {
		struct slack_conv *c = &l->x->convs.list[order[i]];
		c->target = make_one(l, order[i]);
		struct load_target *t = &l->targets[c->target];
		t->files_left += c->files_left;
		if (t->created_ms == 0 || (c->created_ms > 0 && c->created_ms < t->created_ms))
			t->created_ms = c->created_ms;
	}
	if (l->into != TARGET_NONE)
		into_members(l);
	/* now that every channel has its name, the texts that mention them */
	for (uint32_t i = 0; i < l->targets_count; i++) {
		struct load_target *t = &l->targets[i];
		if (!t->skipped && !target_is_direct(t) && t->first_conv != CONV_NONE && i != l->into)
			give_texts(l, t, &l->x->convs.list[t->first_conv]);
		if (t->creator != PERSON_NONE)
			l->x->people.list[t->creator].used = true;
	}
	slack_convs_drop_members(&l->x->convs);
}

bool target_mention(const struct load *l, uint32_t team, uint32_t conv, struct ark_str *out)
{
	const struct load_target *t = &l->targets[l->x->convs.list[conv].target];
	if (t->skipped || target_is_direct(t) || (l->teams_count > 1 && t->team != team))
		return false;
	*out = t->name;
	return true;
}

bool target_elsewhere(const struct load *l, uint32_t team, uint32_t conv, struct ark_str *out)
{
	const struct load_target *t = &l->targets[l->x->convs.list[conv].target];
	if (t->skipped || target_is_direct(t) || t->team == team)
		return false;
	*out = t->slack_name;
	return true;
}

uint32_t target_team(const struct load *l, uint32_t conv)
{
	const struct load_target *t = &l->targets[l->x->convs.list[conv].target];
	return target_is_direct(t) ? TEAM_NONE : t->team;
}
