/* From the structures of a run to its report, and what is said of it at the end. */
#include <stdlib.h>

#include "import/load/load.h"
#include "tests/harness/tap.h"
#include "tests/unit/report/sample.h"

#include "common/base/banned.h"

/* A talk whose streams are kept in memory. */
struct heard {
	struct ark_talk talk;
	char *out, *err;
	size_t out_len, err_len;
};

static void listen_to(struct heard *h)
{
	*h = (struct heard){ .talk = { .tool = "matter-import", .level = ARK_LEVEL_INFO } };
	h->talk.out = open_memstream(&h->out, &h->out_len);
	h->talk.err = open_memstream(&h->err, &h->err_len);
}

static void heard_release(struct heard *h)
{
	fclose(h->talk.out);
	fclose(h->talk.err);
	free(h->out);
	free(h->err);
}

static struct ark_str said(struct heard *h)
{
	fflush(h->talk.err);
	return ark_str_n(h->err, h->err_len);
}

static struct ark_str printed(struct heard *h)
{
	fflush(h->talk.out);
	return ark_str_n(h->out, h->out_len);
}

/* As comments: a bare line of the text would be no TAP. */
static void show_lines(struct ark_str text)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		struct ark_str line = ark_str_first(text, end);
		printf("# %.*s\n", ARK_FMT(line));
		text = end == SIZE_MAX ? ARK_STR_NONE : ark_str_from(text, end + 1);
	}
}

#define CHECK_HAS(text, part)                                                                      \
	do {                                                                                       \
		if (ark_str_search((text), ark_str_z(part), 0) == SIZE_MAX) {                      \
			tap_bad = 1;                                                               \
			printf("# %s:%d: '%s' is not in this:\n", __FILE__, __LINE__, part);       \
			show_lines(text);                                                          \
		}                                                                                  \
	} while (0)

static unsigned lines_of(struct ark_str text)
{
	unsigned n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == '\n';
	return n;
}

/* ---- filling ---- */

/* Only what these tests put into it; the loader's own release needs a loader. */
static void bare_release(struct load *l)
{
	for (uint32_t i = 0; i < l->targets_count; i++)
		ark_numbers_release(&l->targets[i].members);
	free(l->targets);
	ark_map_release(&l->emails);
}

static uint32_t person(struct slack_export *x, const char *key)
{
	uint32_t at = slack_people_need(&x->people, ark_str_z(key));
	struct slack_person *p = &x->people.list[at];
	p->listed = p->used = p->active = true;
	p->username = p->name = p->real_name = ark_str_z(key);
	return at;
}

static void fill_people_kinds(struct load *l)
{
	struct slack_export *x = l->x;
	uint32_t matched = person(x, "UMATCHED"), ours = person(x, "UOURS"),
		 mail = person(x, "UMAIL");
	uint32_t guest = person(x, "UGUEST"), stranger = person(x, "USTRANGER"),
		 bot = person(x, "UBOT");
	uint32_t unused = person(x, "UNUSED"), twin = person(x, "UTWIN");
	x->people.list[matched].matched = true;
	x->people.list[matched].admin = true;
	x->people.list[ours].matched = x->people.list[ours].ours = true;
	x->people.list[mail].email = ARK_LIT(" Mail@Kites.example ");
	x->people.list[twin].email = ARK_LIT("mail@kites.example");
	ark_map_put(&l->emails, ARK_LIT("mail@kites.example"), mail);
	x->people.list[guest].guest = true;
	x->people.list[guest].active = false;
	x->people.list[stranger].listed = x->people.list[stranger].active = false;
	x->people.list[bot].kind = PERSON_BOT;
	x->people.list[unused].used = false;
}

static const struct report_person *find(const struct import_report *r, const char *key)
{
	for (uint32_t i = 0; i < r->people_count; i++)
		if (ark_str_eqz(r->people[i].slack_id, key))
			return &r->people[i];
	return NULL;
}

static void people_get_their_status(void)
{
	struct slack_export x;
	slack_export_init(&x);
	struct load_team team = { .name = "kites" };
	ark_auto(bare_release) struct load l = { .x = &x, .teams = &team, .teams_count = 1 };
	fill_people_kinds(&l);
	struct import_report r = { .check = true, .tool_version = ARK_LIT("1.2.3") };
	import_report_from_load(&l, &r);
	CHECK(r.check);
	CHECK_STR(r.tool_version, "1.2.3");
	CHECK_STR(r.team, "kites");
	CHECK_I64(r.people_count, 7);
	CHECK_I64(r.people_without_account, 1);
	CHECK(find(&r, "UNUSED") == NULL);
	CHECK_I64(find(&r, "UMATCHED")->status, REPORT_MATCHED);
	CHECK_I64(find(&r, "UOURS")->status, REPORT_CREATED);
	CHECK_I64(find(&r, "UGUEST")->status, REPORT_CREATED);
	CHECK_I64(find(&r, "USTRANGER")->status, REPORT_PLACEHOLDER);
	CHECK_I64(find(&r, "UBOT")->status, REPORT_BOT);
	CHECK(!find(&r, "UMAIL")->mailless);
	CHECK(find(&r, "UTWIN")->mailless); /* the address went to the other one */
	CHECK(find(&r, "UOURS")->mailless);
	CHECK(!find(&r, "UGUEST")->mailless && !find(&r, "UMATCHED")->mailless);
	/* a team's members are counted with bots, active users without */
	CHECK_I64(r.team_people, 5);
	CHECK_I64(r.active_users, 4);
	import_report_release(&r);
	slack_export_release(&x);
}

static void channels_are_sorted_and_named(void)
{
	struct slack_export x;
	slack_export_init(&x);
	struct load_team team = { .name = "kites" };
	ark_auto(bare_release) struct load l = { .x = &x, .teams = &team, .teams_count = 1 };
	uint32_t anna = person(&x, "anna"), ben = person(&x, "ben");
	x.people.list[ben].active = false;
	l.targets = ark_calloc(5, sizeof(*l.targets));
	l.targets_count = l.targets_cap = 5;
	for (int i = 0; i < 5; i++)
		l.targets[i] = (struct load_target){ .type = 'O',
			                             .first_conv = CONV_NONE,
			                             .slack_name = ARK_LIT("room"),
			                             .name = ARK_LIT("room"),
			                             .count = { .read = (uint64_t)i,
			                                        .written = (uint64_t)i } };
	l.targets[1].type = 'D'; /* targets[0] is a default channel: nothing of Slack */
	ark_numbers_pack(&l.targets[1].members, (const uint32_t[]){ anna, ben }, 2);
	l.targets[4].skipped = true;
	l.targets[4].skip = SKIP_OPTION_CHANNELS;
	struct import_report r = { 0 };
	import_report_from_load(&l, &r);
	CHECK_I64(r.channels_count, 4);
	CHECK_I64(r.channels[0].count.read, 3);
	CHECK_I64(r.channels[1].count.read, 2);
	CHECK_STR(r.channels[0].team, "kites");
	CHECK_STR(r.channels[2].slack_name, "anna, ben");
	CHECK(!ark_str_has(r.channels[2].team)); /* a direct one is in none */
	CHECK_I64(r.channels[2].members_live, 1);
	CHECK_I64(r.channels[3].left_out, SKIP_OPTION_CHANNELS);
	CHECK_I64(r.channels[3].type, 0);
	CHECK(!ark_str_has(r.channels[3].name));
	import_report_release(&r);
	slack_export_release(&x);
}

static void archives_lose_their_folders(void)
{
	struct slack_export x;
	slack_export_init(&x);
	struct load_team team = { .name = "kites" };
	ark_auto(bare_release) struct load l = { .x = &x, .teams = &team, .teams_count = 1 };
	x.sources = ark_calloc(2, sizeof(*x.sources));
	x.sources_count = 2;
	x.sources[0].path = ark_strdupz("/home/mara/secret plans/export.zip");
	x.sources[0].newest_us = 1690848000000123;
	x.sources[1].path = ark_strdupz("kites/export/");
	struct import_report r = { 0 };
	import_report_from_load(&l, &r);
	CHECK_STR(r.archives[0].name, "export.zip");
	CHECK_I64(r.archives[0].newest_ms, 1690848000000);
	CHECK_STR(r.archives[1].name, "export");
	import_report_release(&r);
	slack_export_release(&x);
}

/* ---- the closing lines ---- */

static void an_import_closes_with_talk(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h);
	struct sample s;
	sample_make(&s, "small");
	import_report_say(&s.r, "/srv/out", &h.talk);
	CHECK_I64(printed(&h).len, 0);
	CHECK_HAS(said(&h), "read      121 messages\n");
	CHECK_HAS(said(&h), "written   119 as 119 posts, 28 replies, 38 reactions, 4 files\n");
	CHECK_HAS(said(&h), "files     2 stored (3.34 MiB), 2 missing\n");
	CHECK_HAS(said(&h), "left out  2\n");
	CHECK_HAS(said(&h), "reply_broadcast: a pointer to a reply that was imported\n");
	CHECK_HAS(said(&h), "people    0 matched, 3 created, 1 bot\n");
	CHECK_HAS(said(&h), "channels  2 public, 1 private, 0 direct\n");
	CHECK_HAS(said(&h), "time      1.23 s, 98 messages per second\n");
	CHECK_HAS(said(&h), "report    /srv/out/report.html\n");
	CHECK(lines_of(said(&h)) <= 12);
	sample_release(&s);
}

static void a_big_one_stays_short(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h);
	struct sample s;
	sample_make(&s, "big");
	import_report_say(&s.r, NULL, &h.talk);
	CHECK(lines_of(said(&h)) <= 18);
	CHECK_HAS(said(&h), "(lost)");
	CHECK_HAS(said(&h), "11,650,260 messages");
	CHECK_HAS(said(&h), "13 private channels without a live member");
	CHECK_HAS(said(&h), "messages per second");
	sample_release(&s);
}

static void a_check_prints_its_result(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h);
	struct sample s;
	sample_make(&s, "check");
	import_report_say(&s.r, NULL, &h.talk);
	CHECK_I64(said(&h).len, 0);
	CHECK_HAS(printed(&h), "to write  119 as 119 posts");
	sample_release(&s);
}

static void programs_get_one_object(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h);
	h.talk.json = true;
	struct sample s;
	sample_make(&s, "small");
	import_report_say(&s.r, "/srv/out", &h.talk);
	CHECK_I64(lines_of(printed(&h)), 1);
	CHECK_HAS(printed(&h), "{\"message_type\":\"summary\",\"msgid\":\"import.summary\",");
	CHECK_HAS(printed(&h),
	          "\"read\":121,\"written\":119,\"skipped\":2,"
	          "\"skipped_by_reason\":{\"reply_broadcast\":2},\"lost\":0,\"damaged_entries\":0,\"adds_up\":true");
	CHECK_HAS(printed(&h), "\"report\":\"/srv/out\"");
	sample_release(&s);
}

static void a_sum_that_fails_is_a_warning(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h);
	struct sample s;
	sample_make(&s, "small");
	s.r.total.written++;
	import_report_say(&s.r, NULL, &h.talk);
	CHECK_HAS(said(&h), "warning: the numbers do not add up");
	CHECK_I64(h.talk.warnings, 1);
	sample_release(&s);
}

int main(void)
{
	TAP_RUN(people_get_their_status);
	TAP_RUN(channels_are_sorted_and_named);
	TAP_RUN(archives_lose_their_folders);
	TAP_RUN(an_import_closes_with_talk);
	TAP_RUN(a_big_one_stays_short);
	TAP_RUN(a_check_prints_its_result);
	TAP_RUN(programs_get_one_object);
	TAP_RUN(a_sum_that_fails_is_a_warning);
	return tap_done();
}
