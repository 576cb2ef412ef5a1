#include "import/load/rows.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "import/load/account.h"
#include "import/load/password.h"
#include "import/load/target.h"
#include "import/load/team.h"
#include "import/translate/id.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

#define USER_NOTIFY                                                                                \
	"{\"email\":\"true\",\"push\":\"mention\",\"desktop\":\"mention\",\"desktop_sound\":\"true\","  \
	"\"mention_keys\":\"\",\"channel\":\"true\",\"comments\":\"never\",\"first_name\":\"false\","   \
	"\"desktop_threads\":\"all\",\"email_threads\":\"all\",\"push_threads\":\"all\","               \
	"\"push_status\":\"online\"}"
#define MEMBER_NOTIFY                                                                              \
	"{\"desktop\":\"default\",\"mark_unread\":\"all\",\"push\":\"default\",\"email\":\"default\","  \
	"\"ignore_channel_mentions\":\"default\",\"channel_auto_follow_threads\":\"off\"}"

struct writer {
	struct load *l;
	struct sink *s;
	int64_t dawn_ms; /* what stands for "since when" where nobody knows */
	const struct load_team *at; /* the team under way, */
	bool *team;      /* and person: member of it */
	struct ark_buf tmp;
};

static struct slack_person *person_at(const struct writer *w, uint32_t i)
{
	return &w->l->x->people.list[i];
}

bool rows_account(const struct load *l, uint32_t person)
{
	const struct slack_person *p = &l->x->people.list[person];
	if (p->guest && l->set.guests == GUESTS_SKIP && !p->used)
		return false;
	return p->listed || p->used;
}

bool rows_guest(const struct load *l, const struct slack_person *p)
{
	return p->kind == PERSON_HUMAN && p->guest && l->set.guests == GUESTS_GUEST &&
	       (!p->matched || p->ours);
}

static int64_t dawn(const struct load *l)
{
	int64_t ms = l->start_ms;
	for (uint32_t i = 0; i < l->targets_count; i++) {
		const struct load_target *t = &l->targets[i];
		if (t->created_ms > 0 && t->created_ms < ms)
			ms = t->created_ms;
		if (t->first_post_ms > 0 && t->first_post_ms < ms)
			ms = t->first_post_ms;
	}
	return ms;
}

/* ---- users ---- */

static struct ark_str shown(struct writer *w, struct ark_str s, size_t runes)
{
	ark_buf_reset(&w->tmp);
	if (ark_str_has(s))
		name_shown(s, runes, &w->tmp);
	return ark_buf_view(&w->tmp);
}

void rows_names(const struct slack_person *p, struct ark_str *first, struct ark_str *last)
{
	*first = p->first_name;
	*last = p->last_name;
	if (ark_str_has(*first) && ark_str_has(*last))
		return;
	struct ark_str real = ark_str_trim(p->real_name);
	size_t blank = ark_str_find(real, ' ', 0);
	*first = blank == SIZE_MAX ? real : ark_str_first(real, blank);
	*last = blank == SIZE_MAX ? ARK_LIT("") : ark_str_trim(ark_str_from(real, blank));
}

const char *rows_locale(struct ark_str locale)
{
	static const struct {
		const char *slack, *mm;
	} WHOLE[] = { { "pt-BR", "pt-BR" }, { "zh-CN", "zh-CN" }, { "zh-TW", "zh-TW" },
		      { "en-GB", "en" },    { "en-US", "en" } };
	static const char *const LANGUAGES[] = { "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "ro",
		                                 "ru", "sv", "tr", "uk", "hu", "bg", "fa", "vi" };
	for (size_t i = 0; i < sizeof(WHOLE) / sizeof(WHOLE[0]); i++)
		if (ark_str_eqz(locale, WHOLE[i].slack))
			return WHOLE[i].mm;
	for (size_t i = 0; i < sizeof(LANGUAGES) / sizeof(LANGUAGES[0]); i++)
		if (ark_str_eqz(ark_str_first(locale, 2), LANGUAGES[i]))
			return LANGUAGES[i];
	return "en";
}

static void put_timezone(struct writer *w, const struct slack_person *p)
{
	struct ark_str zone = p->timezone.len <= 64 ? p->timezone : ARK_STR_NONE;
	for (size_t i = 0; i < zone.len; i++)
		if (!ark_utf8_is_word((unsigned char)zone.ptr[i]) && strchr("/_+-", zone.ptr[i]) == NULL)
			zone = ARK_STR_NONE;
	ark_buf_reset(&w->tmp);
	ark_buf_z(&w->tmp, "{\"useAutomaticTimezone\":\"true\",\"automaticTimezone\":");
	ark_buf_json(&w->tmp, ark_str_has(zone) ? zone : ARK_LIT(""));
	ark_buf_z(&w->tmp, ",\"manualTimezone\":\"\"}");
	sink_str(w->s, SINK_USERS, ark_buf_view(&w->tmp));
}

static int64_t user_created(const struct writer *w, const struct slack_person *p)
{
	return p->first_ms > 0 ? p->first_ms : w->dawn_ms;
}

static int64_t user_deleted(const struct writer *w, const struct slack_person *p)
{
	if (p->active)
		return 0;
	int64_t ms = p->updated_s > 0 && p->deleted ? p->updated_s * 1000 : w->l->start_ms;
	int64_t created = user_created(w, p);
	return ms > created ? ms : created + 1;
}

static void put_names(struct writer *w, const struct slack_person *p)
{
	struct ark_str first, last;
	rows_names(p, &first, &last);
	bool bot = p->kind != PERSON_HUMAN;
	struct ark_str name = ark_str_has(p->real_name) ? p->real_name : p->name;
	sink_str(w->s, SINK_USERS, bot ? ARK_LIT("") : shown(w, p->display_name, MM_PERSON_NAME_RUNES));
	sink_str(w->s, SINK_USERS, shown(w, bot ? name : first, MM_PERSON_NAME_RUNES));
	sink_str(w->s, SINK_USERS, bot ? ARK_LIT("") : shown(w, last, MM_PERSON_NAME_RUNES));
	sink_str(w->s, SINK_USERS, shown(w, p->title, MM_POSITION_RUNES));
}

static void put_user(struct writer *w, uint32_t i)
{
	const struct slack_person *p = person_at(w, i);
	struct sink *s = w->s;
	int64_t created = user_created(w, p), deleted = user_deleted(w, p);
	sink_begin(s, SINK_USERS);
	sink_z(s, SINK_USERS, p->mm_id);
	sink_i64(s, SINK_USERS, created);
	sink_i64(s, SINK_USERS, deleted > created ? deleted : created);
	sink_i64(s, SINK_USERS, deleted);
	sink_str(s, SINK_USERS, p->username);
	/* without a password: no login by password. authdata is unique: NULL, never '' */
	ark_buf_reset(&w->tmp);
	const char *service = account_auth(w->l, i, &w->tmp);
	sink_z(s, SINK_USERS, passwords_hash(w->l->passwords, i));
	sink_str(s, SINK_USERS, service != NULL ? ark_buf_view(&w->tmp) : ARK_STR_NONE);
	sink_z(s, SINK_USERS, service != NULL ? service : "");
	ark_buf_reset(&w->tmp);
	account_email(w->l, i, &w->tmp);
	sink_str(s, SINK_USERS, ark_buf_view(&w->tmp));
	sink_bool(s, SINK_USERS, true);
	put_names(w, p);
	sink_z(s, SINK_USERS, rows_guest(w->l, p)  ? "system_guest"
	                      : p->admin_here ? "system_admin system_user"
	                                      : "system_user");
	sink_bool(s, SINK_USERS, false);
	sink_z(s, SINK_USERS, "{}");
	sink_z(s, SINK_USERS, USER_NOTIFY);
	sink_i64(s, SINK_USERS, created);
	sink_i64(s, SINK_USERS, 0);
	sink_i64(s, SINK_USERS, 0);
	sink_z(s, SINK_USERS, rows_locale(p->locale));
	put_timezone(w, p);
	sink_bool(s, SINK_USERS, false);
	sink_z(s, SINK_USERS, "");
	sink_z(s, SINK_USERS, NULL);
	sink_i64(s, SINK_USERS, 0);
	sink_end(s, SINK_USERS);
	if (p->kind == PERSON_HUMAN)
		return;
	sink_begin(s, SINK_BOTS);
	sink_z(s, SINK_BOTS, p->mm_id);
	sink_z(s, SINK_BOTS, "Imported from Slack");
	sink_z(s, SINK_BOTS, "matterark"); /* no user has this id: owned by a plugin, as the server sees it */
	sink_i64(s, SINK_BOTS, created);
	sink_i64(s, SINK_BOTS, deleted > created ? deleted : created);
	sink_i64(s, SINK_BOTS, deleted);
	sink_i64(s, SINK_BOTS, 0);
	sink_end(s, SINK_BOTS);
}

static void put_preference(struct writer *w, const char *user, const char *category, const char *name,
                           const char *value)
{
	sink_begin(w->s, SINK_PREFERENCES);
	sink_z(w->s, SINK_PREFERENCES, user);
	sink_z(w->s, SINK_PREFERENCES, category);
	sink_z(w->s, SINK_PREFERENCES, name);
	sink_z(w->s, SINK_PREFERENCES, value);
	sink_end(w->s, SINK_PREFERENCES);
}

static void put_users(struct writer *w)
{
	for (uint32_t i = 0; i < w->l->x->people.count; i++) {
		const struct slack_person *p = person_at(w, i);
		if (!rows_account(w->l, i))
			continue;
		sink_begin(w->s, SINK_ARK_USER);
		sink_str(w->s, SINK_ARK_USER, w->l->workspace);
		sink_str(w->s, SINK_ARK_USER, p->key);
		sink_z(w->s, SINK_ARK_USER, p->mm_id);
		sink_bool(w->s, SINK_ARK_USER, p->matched);
		sink_i64(w->s, SINK_ARK_USER, w->l->run_no);
		sink_end(w->s, SINK_ARK_USER);
		if (p->matched || p->merged)
			continue;
		put_user(w, i);
		if (p->kind == PERSON_HUMAN && p->active) {
			put_preference(w, p->mm_id, "tutorial_step", p->mm_id, "0");
			put_preference(w, p->mm_id, "recommended_next_steps", "hide", "false");
			put_preference(w, p->mm_id, "system_notice", "GMasDM", "true");
		}
	}
}

/* ---- team ---- */

static void put_team(struct writer *w)
{
	struct sink *s = w->s;
	struct load *l = w->l;
	const struct load_team *t = w->at;
	char invite[MM_ID_LEN + 1];
	id_derive(l->hash, l->workspace, "invite", ark_str_z(t->name), ARK_LIT(""), 0, 0, invite);
	sink_begin(s, SINK_TEAMS);
	sink_z(s, SINK_TEAMS, t->id);
	sink_i64(s, SINK_TEAMS, w->dawn_ms);
	sink_i64(s, SINK_TEAMS, w->dawn_ms);
	sink_i64(s, SINK_TEAMS, 0);
	sink_str(s, SINK_TEAMS, shown(w, ark_str_z(t->display != NULL ? t->display : t->name), 64));
	sink_z(s, SINK_TEAMS, t->name);
	sink_z(s, SINK_TEAMS, "");
	sink_z(s, SINK_TEAMS, "");
	sink_z(s, SINK_TEAMS, "I");
	sink_z(s, SINK_TEAMS, "");
	sink_z(s, SINK_TEAMS, "");
	sink_z(s, SINK_TEAMS, invite);
	sink_bool(s, SINK_TEAMS, false);
	sink_i64(s, SINK_TEAMS, 0);
	sink_bool(s, SINK_TEAMS, false);
	sink_end(s, SINK_TEAMS);
}

static void put_categories(struct writer *w, const struct slack_person *p)
{
	static const struct {
		const char *type, *sorting, *display;
	} CATEGORIES[] = { { "favorites", "", "Favorites" },
		           { "channels", "", "Channels" },
		           { "direct_messages", "recent", "Direct Messages" } };
	for (int i = 0; i < 3; i++) {
		ark_buf_reset(&w->tmp);
		ark_buf_fmt(&w->tmp, "%s_%s_%s", CATEGORIES[i].type, p->mm_id, w->at->id);
		sink_begin(w->s, SINK_SIDEBARCATEGORIES);
		sink_str(w->s, SINK_SIDEBARCATEGORIES, ark_buf_view(&w->tmp));
		sink_z(w->s, SINK_SIDEBARCATEGORIES, p->mm_id);
		sink_z(w->s, SINK_SIDEBARCATEGORIES, w->at->id);
		sink_i64(w->s, SINK_SIDEBARCATEGORIES, (int64_t)i * 10);
		sink_z(w->s, SINK_SIDEBARCATEGORIES, CATEGORIES[i].sorting);
		sink_z(w->s, SINK_SIDEBARCATEGORIES, CATEGORIES[i].type);
		sink_z(w->s, SINK_SIDEBARCATEGORIES, CATEGORIES[i].display);
		sink_bool(w->s, SINK_SIDEBARCATEGORIES, false);
		sink_bool(w->s, SINK_SIDEBARCATEGORIES, false);
		sink_end(w->s, SINK_SIDEBARCATEGORIES);
	}
}

static void put_team_members(struct writer *w)
{
	for (uint32_t i = 0; i < w->l->x->people.count; i++) {
		if (!w->team[i])
			continue;
		const struct slack_person *p = person_at(w, i);
		bool guest = rows_guest(w->l, p);
		sink_begin(w->s, SINK_TEAMMEMBERS);
		sink_z(w->s, SINK_TEAMMEMBERS, w->at->id);
		sink_z(w->s, SINK_TEAMMEMBERS, p->mm_id);
		sink_z(w->s, SINK_TEAMMEMBERS, "");
		sink_i64(w->s, SINK_TEAMMEMBERS, 0);
		sink_bool(w->s, SINK_TEAMMEMBERS, !guest);
		sink_bool(w->s, SINK_TEAMMEMBERS, p->admin_here);
		sink_bool(w->s, SINK_TEAMMEMBERS, guest);
		sink_i64(w->s, SINK_TEAMMEMBERS, w->l->start_ms);
		sink_end(w->s, SINK_TEAMMEMBERS);
		if (p->kind == PERSON_HUMAN && !guest)
			put_categories(w, p);
	}
}

/* ---- channels ---- */

/* Member of a channel, with everything in it read. */
static void put_member(struct writer *w, const struct load_target *t, uint32_t person)
{
	const struct slack_person *p = person_at(w, person);
	struct sink *s = w->s;
	if (!sink_member(s, t->id, p->mm_id))
		return;
	bool guest = rows_guest(w->l, p);
	int64_t viewed = w->l->start_ms > t->last_post_ms ? w->l->start_ms : t->last_post_ms;
	sink_begin(s, SINK_CHANNELMEMBERS);
	sink_z(s, SINK_CHANNELMEMBERS, t->id);
	sink_z(s, SINK_CHANNELMEMBERS, p->mm_id);
	sink_z(s, SINK_CHANNELMEMBERS, "");
	sink_i64(s, SINK_CHANNELMEMBERS, viewed);
	sink_i64(s, SINK_CHANNELMEMBERS, (int64_t)t->posts);
	sink_i64(s, SINK_CHANNELMEMBERS, 0);
	sink_z(s, SINK_CHANNELMEMBERS, MEMBER_NOTIFY);
	sink_i64(s, SINK_CHANNELMEMBERS, viewed);
	sink_bool(s, SINK_CHANNELMEMBERS, !guest);
	sink_bool(s, SINK_CHANNELMEMBERS, person == t->creator && !guest && !target_is_direct(t));
	sink_bool(s, SINK_CHANNELMEMBERS, guest);
	sink_i64(s, SINK_CHANNELMEMBERS, 0);
	sink_i64(s, SINK_CHANNELMEMBERS, (int64_t)t->roots);
	sink_i64(s, SINK_CHANNELMEMBERS, 0);
	sink_end(s, SINK_CHANNELMEMBERS);
	sink_begin(s, SINK_CHANNELMEMBERHISTORY);
	sink_z(s, SINK_CHANNELMEMBERHISTORY, t->id);
	sink_z(s, SINK_CHANNELMEMBERHISTORY, p->mm_id);
	sink_i64(s, SINK_CHANNELMEMBERHISTORY, w->l->start_ms);
	sink_z(s, SINK_CHANNELMEMBERHISTORY, NULL);
	sink_end(s, SINK_CHANNELMEMBERHISTORY);
}

/* Direct channels show in the sidebar only with this row. */
static void put_shown(struct writer *w, const struct load_target *t)
{
	uint32_t count = t->members.count;
	ark_auto(ark_freep) uint32_t *members = ark_numbers_unpack(&t->members);
	for (uint32_t i = 0; i < count; i++) {
		const struct slack_person *p = person_at(w, members[i]);
		if (p->kind != PERSON_HUMAN)
			continue;
		uint32_t other = members[count == 2 ? 1 - i : 0];
		if (t->type == 'D')
			put_preference(w, p->mm_id, "direct_channel_show", person_at(w, other)->mm_id, "true");
		else
			put_preference(w, p->mm_id, "group_channel_show", t->id, "true");
	}
}

static int64_t archived_at(const struct writer *w, const struct load_target *t)
{
	bool into = w->l->into != TARGET_NONE && t == &w->l->targets[w->l->into];
	if (t->first_conv == CONV_NONE || target_is_direct(t) || into)
		return 0;
	const struct slack_conv *c = &w->l->x->convs.list[t->first_conv];
	if (!c->archived)
		return 0;
	if (t->last_archive_ms > t->last_unarchive_ms)
		return t->last_archive_ms;
	return t->last_post_ms > 0 ? t->last_post_ms : c->updated_ms > 0 ? c->updated_ms : w->l->start_ms;
}

static void put_channel(struct writer *w, struct load_target *t)
{
	struct sink *s = w->s;
	int64_t created = t->created_ms > 0 ? t->created_ms
	                  : t->first_post_ms > 0 ? t->first_post_ms : w->dawn_ms;
	if (t->first_post_ms > 0 && t->first_post_ms < created)
		created = t->first_post_ms;
	t->archived_ms = archived_at(w, t);
	const char *team = target_is_direct(t) ? "" : w->l->teams[t->team].id;
	char type[2] = { t->type, '\0' };
	sink_begin(s, SINK_CHANNELS);
	sink_z(s, SINK_CHANNELS, t->id);
	sink_i64(s, SINK_CHANNELS, created);
	sink_i64(s, SINK_CHANNELS, t->archived_ms > created ? t->archived_ms : created);
	sink_i64(s, SINK_CHANNELS, t->archived_ms);
	sink_z(s, SINK_CHANNELS, team);
	sink_z(s, SINK_CHANNELS, type);
	sink_str(s, SINK_CHANNELS, t->display);
	sink_str(s, SINK_CHANNELS, t->name);
	sink_str(s, SINK_CHANNELS, t->header);
	sink_str(s, SINK_CHANNELS, t->purpose);
	sink_i64(s, SINK_CHANNELS, t->last_post_ms);
	sink_i64(s, SINK_CHANNELS, (int64_t)t->posts);
	sink_i64(s, SINK_CHANNELS, 0);
	sink_z(s, SINK_CHANNELS, t->creator != PERSON_NONE ? person_at(w, t->creator)->mm_id : "");
	sink_i64(s, SINK_CHANNELS, (int64_t)t->roots);
	sink_i64(s, SINK_CHANNELS, t->last_root_ms);
	sink_z(s, SINK_CHANNELS, "");
	sink_end(s, SINK_CHANNELS);
	if (t->type != 'O')
		return;
	sink_begin(s, SINK_PUBLICCHANNELS);
	sink_z(s, SINK_PUBLICCHANNELS, t->id);
	sink_i64(s, SINK_PUBLICCHANNELS, t->archived_ms);
	sink_z(s, SINK_PUBLICCHANNELS, team);
	sink_str(s, SINK_PUBLICCHANNELS, t->display);
	sink_str(s, SINK_PUBLICCHANNELS, t->name);
	sink_str(s, SINK_PUBLICCHANNELS, t->header);
	sink_str(s, SINK_PUBLICCHANNELS, t->purpose);
	sink_end(s, SINK_PUBLICCHANNELS);
}

/* Channels of one team; direct ones, which are of none, with the first. */
static void put_channels(struct writer *w, uint32_t team)
{
	struct load *l = w->l;
	for (uint32_t i = 0; i < l->targets_count; i++) {
		struct load_target *t = &l->targets[i];
		if (t->skipped || (target_is_direct(t) ? 0 : t->team) != team)
			continue;
		put_channel(w, t);
		bool everybody = i == w->at->town_square || i == w->at->off_topic;
		for (uint32_t p = 0; everybody && p < l->x->people.count; p++)
			if (w->team[p] && !rows_guest(w->l, person_at(w, p)))
				put_member(w, t, p);
		struct ark_number_iter it = ark_numbers_read(&t->members);
		for (uint32_t m; ark_numbers_next(&it, &m);)
			if (!everybody || rows_guest(w->l, person_at(w, m)))
				put_member(w, t, m);
		if (target_is_direct(t))
			put_shown(w, t);
	}
	/* in a team that was there: whoever is new in it belongs in its default channels as well; how much
	 * there is to have read, merge.c knows */
	for (int d = 0; d < 2; d++) {
		struct load_target t = { .type = 'O', .creator = PERSON_NONE };
		memcpy(t.id, w->at->defaults[d], sizeof(t.id));
		for (uint32_t p = 0; t.id[0] != '\0' && p < l->x->people.count; p++)
			if (w->team[p] && !rows_guest(w->l, person_at(w, p)))
				put_member(w, &t, p);
	}
}

static void put_sources(struct writer *w)
{
	struct load *l = w->l;
	for (uint32_t c = 0; c < l->x->convs.count; c++) {
		const struct slack_conv *conv = &l->x->convs.list[c];
		if (conv->target == TARGET_NONE || l->targets[conv->target].skipped)
			continue;
		sink_begin(w->s, SINK_ARK_CHANNEL);
		sink_str(w->s, SINK_ARK_CHANNEL, l->workspace);
		sink_str(w->s, SINK_ARK_CHANNEL, conv->id);
		sink_z(w->s, SINK_ARK_CHANNEL, l->targets[conv->target].id);
		sink_i64(w->s, SINK_ARK_CHANNEL, l->run_no);
		sink_i64(w->s, SINK_ARK_CHANNEL, l->x->sources[conv->source].newest_us);
		sink_str(w->s, SINK_ARK_CHANNEL, l->targets[conv->target].display);
		sink_str(w->s, SINK_ARK_CHANNEL, l->targets[conv->target].header);
		sink_str(w->s, SINK_ARK_CHANNEL, l->targets[conv->target].purpose);
		sink_i64(w->s, SINK_ARK_CHANNEL, l->targets[conv->target].archived_ms);
		sink_end(w->s, SINK_ARK_CHANNEL);
	}
}

static void writer_release(struct writer *w)
{
	free(w->team);
	ark_buf_release(&w->tmp);
}

void rows_write(struct load *l, struct sink *s)
{
	ark_auto(writer_release) struct writer w = { .l = l, .s = s, .dawn_ms = dawn(l) };
	ark_buf_init(&w.tmp, 1u << 20);
	w.team = ark_calloc(l->x->people.count + 1, sizeof(*w.team));
	put_users(&w);
	for (uint32_t i = 0; i < l->teams_count; i++) {
		w.at = &l->teams[i];
		team_members(l, i, w.team);
		if (w.at->made)
			put_team(&w);
		put_team_members(&w);
		put_channels(&w, i);
	}
	put_sources(&w);
}
