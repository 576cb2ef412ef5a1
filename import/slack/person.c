#include "import/slack/person.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define BOT_NAMES_MAX 30 /* accounts per bot_id; see docs/slack-quirks.md "Bots" */

void slack_people_init(struct slack_people *p)
{
	*p = (struct slack_people){ .slackbot = PERSON_NONE };
}

void slack_people_release(struct slack_people *p)
{
	free(p->list);
	ark_map_release(&p->by_key);
	ark_map_release(&p->by_bot_id);
	ark_map_release(&p->bot_names);
	ark_map_release(&p->team_votes);
	ark_pool_release(&p->strings);
	*p = (struct slack_people){ .slackbot = PERSON_NONE };
}

void slack_people_clear(struct slack_people *p)
{
	void (*on_new)(void *, uint32_t) = p->on_new;
	void *ctx = p->on_new_ctx;
	slack_people_release(p);
	p->on_new = on_new;
	p->on_new_ctx = ctx;
}

static uint32_t append(struct slack_people *p, struct ark_str key, enum person_kind kind)
{
	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 64 : p->cap * 2;
		p->list = ark_realloc(p->list, p->cap, sizeof(*p->list));
	}
	uint32_t at = p->count++;
	p->list[at] = (struct slack_person){ .key = ark_pool_str(&p->strings, key), .kind = kind };
	ark_map_put(&p->by_key, key, at);
	return at;
}

static void announce(struct slack_people *p, uint32_t person)
{
	if (p->on_new != NULL)
		p->on_new(p->on_new_ctx, person);
}

static struct ark_str keep(struct slack_people *p, struct json_val v)
{
	return ark_pool_str(&p->strings, json_text(v));
}

static struct ark_str first_of(struct ark_str a, struct ark_str b)
{
	return ark_str_has(a) ? a : b;
}

static void read_profile(struct slack_people *p, struct slack_person *x, struct json_val profile)
{
	struct json_iter it = json_fields(profile);
	struct ark_str key;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		if (ark_str_eqz(key, "real_name"))
			x->real_name = first_of(x->real_name, keep(p, v));
		else if (ark_str_eqz(key, "first_name"))
			x->first_name = keep(p, v);
		else if (ark_str_eqz(key, "last_name"))
			x->last_name = keep(p, v);
		else if (ark_str_eqz(key, "display_name"))
			x->display_name = keep(p, v);
		else if (ark_str_eqz(key, "email"))
			x->email = keep(p, v);
		else if (ark_str_eqz(key, "title"))
			x->title = keep(p, v);
		else if (ark_str_eqz(key, "bot_id"))
			x->bot_id = keep(p, v);
	}
}

static void read_user(struct slack_people *p, struct slack_person *x, struct json_val user)
{
	struct json_iter it = json_fields(user);
	struct ark_str key;
	struct json_val profile = { 0 };
	bool is_bot = false, is_workflow = false;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		if (ark_str_eqz(key, "name"))
			x->name = keep(p, v);
		else if (ark_str_eqz(key, "real_name"))
			x->real_name = keep(p, v);
		else if (ark_str_eqz(key, "team_id"))
			x->team_id = keep(p, v);
		else if (ark_str_eqz(key, "tz"))
			x->timezone = keep(p, v);
		else if (ark_str_eqz(key, "locale"))
			x->locale = keep(p, v);
		else if (ark_str_eqz(key, "deleted"))
			x->deleted = json_is_true(v);
		else if (ark_str_eqz(key, "is_bot"))
			is_bot = json_is_true(v);
		else if (ark_str_eqz(key, "is_workflow_bot"))
			is_workflow = json_is_true(v);
		else if (ark_str_eqz(key, "is_admin"))
			x->admin = json_is_true(v);
		else if (ark_str_eqz(key, "is_owner") || ark_str_eqz(key, "is_primary_owner"))
			x->owner |= json_is_true(v);
		else if (ark_str_eqz(key, "is_restricted") || ark_str_eqz(key, "is_ultra_restricted"))
			x->guest |= json_is_true(v);
		else if (ark_str_eqz(key, "updated"))
			(void)json_i64(v, &x->updated_s);
		else if (ark_str_eqz(key, "profile"))
			profile = v;
	}
	read_profile(p, x, profile);
	if (ark_str_eqz(x->key, "USLACKBOT"))
		x->kind = PERSON_SLACKBOT;
	else if (is_bot || is_workflow)
		x->kind = PERSON_BOT;
}

void slack_people_vote(struct slack_people *p, struct ark_str team)
{
	uint32_t votes = ark_map_get(&p->team_votes, team);
	ark_map_put(&p->team_votes, team, votes == ARK_MAP_NONE ? 1 : votes + 1);
}

bool slack_people_add(struct slack_people *p, struct json_val user)
{
	struct ark_str id = json_text(json_get(user, "id"));
	if (!ark_str_has(id) || id.len > 64)
		return false;
	uint32_t at = ark_map_get(&p->by_key, id);
	int64_t updated_s = 0;
	(void)json_i64(json_get(user, "updated"), &updated_s);
	if (at != ARK_MAP_NONE && p->list[at].listed && p->list[at].updated_s > updated_s)
		return true;
	if (at == ARK_MAP_NONE)
		at = append(p, id, PERSON_HUMAN);
	struct slack_person *x = &p->list[at];
	struct slack_person fresh = { .key = x->key, .kind = PERSON_HUMAN, .listed = true };
	read_user(p, &fresh, user);
	*x = fresh;
	if (x->kind == PERSON_SLACKBOT)
		p->slackbot = at;
	if (ark_str_has(x->bot_id))
		ark_map_put(&p->by_bot_id, x->bot_id, at);
	if (x->kind == PERSON_HUMAN && !x->deleted && !x->guest && ark_str_has(x->team_id))
		slack_people_vote(p, x->team_id);
	return true;
}

uint32_t slack_people_find(const struct slack_people *p, struct ark_str id)
{
	uint32_t at = ark_map_get(&p->by_key, id);
	if (at == ARK_MAP_NONE && id.len > 0 && id.ptr[0] == 'B')
		at = ark_map_get(&p->by_bot_id, id);
	return at; /* ARK_MAP_NONE is PERSON_NONE */
}

_Static_assert(ARK_MAP_NONE == PERSON_NONE, "one value for nobody");

static bool is_id(struct ark_str id)
{
	if (id.len < 2 || id.len > 64)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}

uint32_t slack_people_need(struct slack_people *p, struct ark_str id)
{
	uint32_t at = slack_people_find(p, id);
	if (at != PERSON_NONE || !is_id(id))
		return at;
	if (ark_str_eqz(id, "USLACKBOT") || ark_str_eqz(id, "B01"))
		return slack_people_slackbot(p);
	at = append(p, id, id.ptr[0] == 'B' ? PERSON_BOT : PERSON_HUMAN);
	announce(p, at);
	return at;
}

uint32_t slack_people_slackbot(struct slack_people *p)
{
	if (p->slackbot == PERSON_NONE) {
		p->slackbot = append(p, ARK_LIT("USLACKBOT"), PERSON_SLACKBOT);
		p->list[p->slackbot].name = ARK_LIT("slackbot");
		p->list[p->slackbot].real_name = ARK_LIT("Slackbot");
		announce(p, p->slackbot);
	}
	return p->slackbot;
}

uint32_t slack_people_known(struct slack_people *p, struct ark_str key)
{
	enum person_kind kind = ark_str_eqz(key, "USLACKBOT") ? PERSON_SLACKBOT
	                        : ark_str_starts(key, ARK_LIT("B")) ? PERSON_BOT
	                                                            : PERSON_HUMAN;
	uint32_t at = append(p, key, kind);
	if (kind == PERSON_SLACKBOT)
		p->slackbot = at;
	return at;
}

/* The bot user of `bot_id` when it speaks under its own name. */
static uint32_t own_name(const struct slack_people *p, struct ark_str bot_id, struct ark_str username)
{
	uint32_t at = ark_str_has(bot_id) ? ark_map_get(&p->by_bot_id, bot_id) : ARK_MAP_NONE;
	if (at == ARK_MAP_NONE || !ark_str_has(username))
		return at;
	const struct slack_person *x = &p->list[at];
	bool same = ark_str_eq(username, x->name) || ark_str_eq(username, x->real_name) ||
	            ark_str_eq(username, x->display_name);
	return same ? at : PERSON_NONE;
}

uint32_t slack_people_bot(struct slack_people *p, struct ark_str bot_id, struct ark_str username,
                          struct ark_str bot_name)
{
	if (ark_str_eqz(bot_id, "B01"))
		return slack_people_slackbot(p);
	uint32_t at = own_name(p, bot_id, username);
	if (at != PERSON_NONE)
		return at;
	struct ark_str shown = first_of(username, bot_name);
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, 4096);
	ark_buf_str(&key, ark_str_has(bot_id) ? bot_id : ARK_LIT("B"));
	bool plain = !ark_str_has(username);
	if (!plain) {
		ark_buf_c(&key, '|');
		ark_buf_str(&key, ark_str_first(username, 1024));
	}
	at = ark_map_get(&p->by_key, ark_buf_view(&key));
	if (at != ARK_MAP_NONE)
		return at;
	if (!plain && ark_str_has(bot_id)) {
		uint32_t names = ark_map_get(&p->bot_names, bot_id);
		names = names == ARK_MAP_NONE ? 1 : names + 1;
		ark_map_put(&p->bot_names, bot_id, names);
		if (names > BOT_NAMES_MAX)
			return slack_people_bot(p, bot_id, ARK_STR_NONE, first_of(bot_name, username));
	}
	at = append(p, ark_buf_view(&key), PERSON_BOT);
	struct slack_person *x = &p->list[at];
	x->bot_id = ark_pool_str(&p->strings, bot_id);
	x->name = ark_pool_str(&p->strings, shown);
	x->real_name = x->name;
	announce(p, at);
	return at;
}

bool slack_people_profile(struct slack_people *p, uint32_t person, struct json_val profile)
{
	struct slack_person *x = &p->list[person];
	if (x->listed || json_type(profile) != JSON_OBJECT)
		return false;
	struct ark_str name = json_text(json_get(profile, "name"));
	struct ark_str real = json_text(json_get(profile, "real_name"));
	struct ark_str display = json_text(json_get(profile, "display_name"));
	if (!ark_str_has(name) && !ark_str_has(real) && !ark_str_has(display))
		return false;
	bool news = !x->profile_seen;
	x->profile_seen = true;
	/* every message brings one: copy only what is new */
	if (ark_str_has(name) && !ark_str_eq(name, x->name))
		x->name = ark_pool_str(&p->strings, name);
	if (ark_str_has(real) && !ark_str_eq(real, x->real_name))
		x->real_name = ark_pool_str(&p->strings, real);
	if (ark_str_has(display) && !ark_str_eq(display, x->display_name))
		x->display_name = ark_pool_str(&p->strings, display);
	x->guest |= json_is_true(json_get(profile, "is_restricted")) ||
	            json_is_true(json_get(profile, "is_ultra_restricted"));
	return news;
}

void slack_people_merge(struct slack_people *p, uint32_t person, uint32_t leader)
{
	p->list[person].merged = true;
	p->list[person].leader = leader;
	ark_map_put(&p->by_key, p->list[person].key, leader);
}

uint32_t slack_people_leader(const struct slack_people *p, uint32_t person)
{
	return person != PERSON_NONE && p->list[person].merged ? p->list[person].leader : person;
}

struct ark_str slack_people_team(const struct slack_people *p)
{
	struct ark_str best = ARK_STR_NONE;
	uint32_t most = 0;
	for (uint32_t i = 0; i < p->team_votes.count; i++) {
		struct ark_str key = ark_map_key(&p->team_votes, i);
		uint32_t votes = p->team_votes.entries[i].value;
		if (votes > most || (votes == most && ark_str_cmp(key, best) < 0)) {
			best = key;
			most = votes;
		}
	}
	return best;
}
