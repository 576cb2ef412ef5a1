#include "import/slack/conv.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "import/slack/ts.h"

#include "common/base/banned.h"

void slack_convs_release(struct slack_convs *c)
{
	for (uint32_t i = 0; i < c->count; i++) {
		ark_numbers_release(&c->list[i].members);
		free(c->list[i].pins_us);
	}
	free(c->list);
	ark_map_release(&c->by_id);
	ark_map_release(&c->by_folder);
	ark_pool_release(&c->strings);
	*c = (struct slack_convs){ 0 };
}

void slack_convs_drop_members(struct slack_convs *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		ark_numbers_release(&c->list[i].members);
}

static uint32_t append(struct slack_convs *c, struct ark_str id)
{
	if (c->count == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		c->list = ark_realloc(c->list, c->cap, sizeof(*c->list));
	}
	uint32_t at = c->count++;
	c->list[at] = (struct slack_conv){ .id = ark_pool_str(&c->strings, id), .creator = PERSON_NONE };
	ark_map_put(&c->by_id, id, at);
	return at;
}

/* Members while they are read. */
struct roster {
	uint32_t *list;
	uint32_t count, cap;
};

static void roster_release(struct roster *r)
{
	free(r->list);
}

/* Small lists are kept clean while they are made. */
#define ROSTER_SMALL 64

static void add_member(struct roster *r, uint32_t person)
{
	if (person == PERSON_NONE)
		return;
	for (uint32_t i = 0; i < r->count && r->count < ROSTER_SMALL; i++)
		if (r->list[i] == person)
			return;
	if (r->count == r->cap) {
		r->cap = r->cap < ROSTER_SMALL ? ROSTER_SMALL : r->cap * 2;
		r->list = ark_realloc(r->list, r->cap, sizeof(*r->list));
	}
	r->list[r->count++] = person;
}

/* Lists of thousands: each person once. */
static void unique_members(struct roster *r)
{
	if (r->count >= ROSTER_SMALL)
		r->count = ark_numbers_unique(r->list, r->count);
}

static void read_members(struct roster *r, struct slack_people *people, struct json_val v)
{
	r->count = 0;
	struct json_iter it = json_items(v);
	for (struct json_val m; json_next(&it, &m);)
		add_member(r, slack_people_need(people, json_str(m)));
	unique_members(r);
}

/* Another workspace's list named it before: whoever is a member there is a member. */
static void unite(struct roster *r, const struct ark_numbers *before)
{
	struct ark_number_iter it = ark_numbers_read(before);
	for (uint32_t person; ark_numbers_next(&it, &person);)
		add_member(r, person);
	unique_members(r);
}

static int by_ts(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void read_pins(struct slack_conv *conv, struct json_val v)
{
	conv->pins_count = 0;
	conv->pins_us = ark_realloc(conv->pins_us, json_count(v) + 1, sizeof(*conv->pins_us));
	struct json_iter it = json_items(v);
	for (struct json_val pin; json_next(&it, &pin);) {
		int64_t us;
		if (slack_ts_value(json_get(pin, "id"), &us))
			conv->pins_us[conv->pins_count++] = us;
	}
	qsort(conv->pins_us, conv->pins_count, sizeof(*conv->pins_us), by_ts);
}

struct flags {
	bool is_private, is_group, is_mpim, is_im;
	struct roster members;
};

static void flags_release(struct flags *f)
{
	roster_release(&f->members);
}

static void read_object(struct slack_convs *c, struct slack_people *people, struct slack_conv *x,
                        struct json_val object, struct flags *f)
{
	struct json_iter it = json_fields(object);
	struct ark_str key;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		int64_t n;
		if (ark_str_eqz(key, "name")) {
			x->name = ark_pool_str(&c->strings, json_text(v));
		} else if (ark_str_eqz(key, "created")) {
			if (json_i64(v, &n) && n > 1)
				x->created_ms = n > 100000000000 ? n : n * 1000;
		} else if (ark_str_eqz(key, "updated")) {
			if (json_i64(v, &n) && n > 1)
				x->updated_ms = n > 100000000000 ? n : n * 1000;
		} else if (ark_str_eqz(key, "creator")) {
			x->creator = slack_people_need(people, json_str(v));
		} else if (ark_str_eqz(key, "is_archived")) {
			x->archived = json_is_true(v);
		} else if (ark_str_eqz(key, "is_general")) {
			x->general = json_is_true(v);
		} else if (ark_str_eqz(key, "is_private")) {
			f->is_private = json_is_true(v);
		} else if (ark_str_eqz(key, "is_mpim")) {
			f->is_mpim = json_is_true(v);
		} else if (ark_str_eqz(key, "is_im")) {
			f->is_im = json_is_true(v);
		} else if (ark_str_eqz(key, "topic")) {
			x->topic = ark_pool_str(&c->strings, json_text(json_get(v, "value")));
		} else if (ark_str_eqz(key, "purpose")) {
			x->purpose = ark_pool_str(&c->strings, json_text(json_get(v, "value")));
		} else if (ark_str_eqz(key, "members")) {
			read_members(&f->members, people, v);
		} else if (ark_str_eqz(key, "user")) {
			add_member(&f->members, slack_people_need(people, json_str(v)));
		} else if (ark_str_eqz(key, "pins")) {
			read_pins(x, v);
		}
	}
}

static enum conv_kind kind_of(enum conv_list list, const struct flags *f, struct ark_str name)
{
	if (list == LIST_DMS || f->is_im)
		return CONV_DIRECT;
	if (list == LIST_MPIMS || f->is_mpim || ark_str_starts(name, ARK_LIT("mpdm-")))
		return CONV_GROUP;
	if (list == LIST_GROUPS || f->is_private)
		return CONV_PRIVATE;
	return CONV_PUBLIC;
}

/* A folder of one workspace is not that of another, whatever it is called. */
static void folder_key(const struct slack_convs *c, struct ark_str folder, struct ark_buf *key)
{
	ark_buf_init(key, SIZE_MAX / 2);
	ark_buf_str(key, c->scope);
	ark_buf_str(key, folder);
}

/* The first to claim a folder keeps it, public channels before others. */
static void claim_folder(struct slack_convs *c, struct ark_str name, uint32_t conv)
{
	if (name.len == 0)
		return;
	ark_auto(ark_buf_release) struct ark_buf key;
	folder_key(c, name, &key);
	struct ark_str folder = ark_buf_view(&key);
	uint32_t owner = ark_map_get(&c->by_folder, folder);
	if (owner != ARK_MAP_NONE && owner != conv) {
		bool same_kind = c->list[owner].kind == c->list[conv].kind;
		c->folder_clashes++;
		if (same_kind || c->list[owner].kind < c->list[conv].kind)
			return;
	}
	ark_map_put(&c->by_folder, folder, conv);
}

/* Of several workspaces the first by folder: the same whatever order the archive has. */
static void note_home(const struct slack_convs *c, uint32_t *home, struct ark_str *scope)
{
	if (c->workspace != 0 && (*home == 0 || ark_str_cmp(c->scope, *scope) < 0)) {
		*home = c->workspace;
		*scope = c->scope;
	}
}

bool slack_convs_add(struct slack_convs *c, struct slack_people *people, enum conv_list list,
                     struct json_val object)
{
	struct ark_str id = json_text(json_get(object, "id"));
	if (!ark_str_has(id) || id.len > 64)
		return false;
	uint32_t at = ark_map_get(&c->by_id, id);
	if (at == ARK_MAP_NONE)
		at = append(c, id);
	struct slack_conv *x = &c->list[at];
	ark_auto(flags_release) struct flags f = { 0 };
	if (!x->listed || x->source != c->source)
		x->shared = false;
	else
		x->shared |= x->last_lists != c->workspace;
	x->last_lists = c->workspace;
	if (!x->shared) /* stay, unless the object has others */
		unite(&f.members, &x->members);
	read_object(c, people, x, object, &f);
	if (x->shared)
		unite(&f.members, &x->members);
	ark_numbers_pack(&x->members, f.members.list, f.members.count);
	note_home(c, &x->listed_home, &x->listed_scope);
	c->scoped |= c->workspace != 0;
	enum conv_kind kind = kind_of(list, &f, x->name);
	/* in two lists at once (mpims also stand in groups.json): the narrower kind is the true one */
	x->kind = x->listed && x->kind > kind ? x->kind : kind;
	x->listed = true;
	x->source = c->source;
	claim_folder(c, x->name, at);
	claim_folder(c, x->id, at);
	return true;
}

/* The only conversation of that name which workspaces list and have no folder for, or CONV_NONE. */
static uint32_t listed_below(const struct slack_convs *c, struct ark_str name)
{
	uint32_t found = CONV_NONE;
	for (uint32_t i = 0; c->scoped && i < c->count; i++) {
		const struct slack_conv *x = &c->list[i];
		if (x->listed_home == 0 || x->days_home != 0 || !ark_str_eq(x->name, name))
			continue;
		if (found != CONV_NONE)
			return CONV_NONE;
		found = i;
	}
	return found;
}

static uint32_t find_folder(struct slack_convs *c, struct ark_str folder, struct ark_str key)
{
	uint32_t at = ark_map_get(&c->by_folder, key);
	if (at == ARK_MAP_NONE && c->workspace == 0 && (at = listed_below(c, folder)) != CONV_NONE)
		ark_map_put(&c->by_folder, key, at);
	if (at == ARK_MAP_NONE)
		return CONV_NONE;
	note_home(c, &c->list[at].days_home, &c->list[at].days_scope);
	c->list[at].days_at_root |= c->workspace == 0;
	return at;
}

uint32_t slack_convs_folder(struct slack_convs *c, struct ark_str folder)
{
	ark_auto(ark_buf_release) struct ark_buf key;
	folder_key(c, folder, &key);
	uint32_t at = find_folder(c, folder, ark_buf_view(&key));
	if (at != CONV_NONE)
		return at;
	ark_auto(ark_buf_release) struct ark_buf id;
	ark_buf_init(&id, LIMIT_ENTRY_NAME * 2);
	bool direct = folder.len > 6 && folder.ptr[0] == 'D' && folder.ptr[1] >= '0' && folder.ptr[1] <= 'Z';
	for (size_t i = 0; i < folder.len && direct; i++)
		direct = (folder.ptr[i] >= 'A' && folder.ptr[i] <= 'Z') ||
		         (folder.ptr[i] >= '0' && folder.ptr[i] <= '9');
	if (!direct)
		ark_buf_fmt(&id, "folder:%.*s", ARK_FMT(c->scope));
	ark_buf_str(&id, folder);
	at = slack_convs_find(c, ark_buf_view(&id)); /* a direct one that several workspaces have */
	if (at != CONV_NONE) {
		ark_map_put(&c->by_folder, ark_buf_view(&key), at);
		return find_folder(c, folder, ark_buf_view(&key));
	}
	at = append(c, ark_buf_view(&id));
	struct slack_conv *x = &c->list[at];
	x->name = direct ? ARK_STR_NONE : ark_pool_str(&c->strings, folder);
	bool comments = ark_str_starts(folder, ARK_LIT("FC:")) || ark_str_starts(folder, ARK_LIT("FC_F"));
	x->kind = direct                                             ? CONV_DIRECT
	          : comments                                         ? CONV_COMMENTS
	          : ark_str_starts(folder, ARK_LIT("mpdm-"))         ? CONV_GROUP
	                                                             : CONV_PRIVATE;
	ark_map_put(&c->by_folder, ark_buf_view(&key), at);
	return find_folder(c, folder, ark_buf_view(&key));
}

uint32_t slack_convs_find(const struct slack_convs *c, struct ark_str id)
{
	return ark_map_get(&c->by_id, id);
}

bool slack_conv_is_pinned(const struct slack_conv *conv, int64_t ts_us)
{
	return conv->pins_count > 0 &&
	       bsearch(&ts_us, conv->pins_us, conv->pins_count, sizeof(*conv->pins_us), by_ts) != NULL;
}
