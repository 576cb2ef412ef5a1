#include "common/notify/metrics.h"
#include "common/notify/render.h"
#include "tests/harness/tap.h"
#include "tests/unit/notify/sample.h"

#include "common/base/banned.h"

static const struct notify_moment BEGIN = { false, INT64_C(1700000000000), "vm1" };
static const struct notify_moment END = { true, INT64_C(1700000065250), "vm1" };

static bool holds(const struct ark_buf *b, const char *text)
{
	bool found = ark_str_search(ark_buf_view(b), ark_str_z(text), 0) != SIZE_MAX;
	if (!found)
		printf("# '%s' is not in: %s\n", text, b->data);
	return found;
}

static void json_has_the_whole_run(void)
{
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_LOSSES);
	notify_render_json(&run, &BEGIN, &b);
	CHECK_STR(ark_buf_view(&b),
	          "{\"message_type\":\"run\",\"event\":\"begin\",\"tool\":\"matter-import\",\"version\":\"0.1.0\","
	          "\"command\":\"slack\",\"host\":\"vm1\",\"target\":\"database matter*most at db1\","
	          "\"begin\":\"2023-11-14T22:13:20.000Z\"}\n");
	ark_buf_reset(&b);
	notify_render_json(&run, &END, &b);
	CHECK(holds(&b, "\"end\":\"2023-11-14T22:14:25.250Z\",\"duration_s\":65.250,\"status\":\"losses\","
	                "\"exit_code\":3,\"headline\":\"caf\xc3\xa9 | @all [x](y)\",\"problem\":null,"
	                "\"counts\":{\"posts_written\":1234567,\"read_bytes\":18446744073709551615}}\n"));
	ark_buf_release(&b);
}

static void webhooks_call_nobody_and_show_text_as_it_is(void)
{
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_DONE);
	notify_render_webhook(&run, &END, &b);
	CHECK(holds(&b, "\"color\":\"#3db887\",\"title\":\"matter-import slack on vm1: done\""));
	CHECK(holds(&b, "caf\xc3\xa9 \\\\| @\xe2\x80\x8b" "all \\\\[x\\\\]\\\\(y\\\\)\\n"));
	CHECK(holds(&b, "| what | count |\\n|:--|--:|\\n| posts written | 1234567 |\\n"));
	CHECK(holds(&b, "matter\\\\*most at db1, 1 min 5 s, exit code 0"));
	run = sample_run(ARK_EXIT_FAILED);
	ark_buf_reset(&b);
	notify_render_webhook(&run, &END, &b);
	CHECK(holds(&b, "\"color\":\"#d24b4e\""));
	CHECK(holds(&b, "```\\ncannot read 'a'''b': line 1\\nline 2 = @here\\n```\\n"));
	ark_buf_release(&b);
}

static void mail_is_ascii_and_its_lines_short(void)
{
	static const char *const to[] = { "a@b", "c@d", NULL };
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_LOSSES);
	char problem[400];
	memset(problem, 'x', sizeof(problem));
	problem[sizeof(problem) - 1] = '\0';
	run.problem = problem;
	notify_render_mail(&run, &END, "e@f", to, "id1", &b);
	CHECK(holds(&b, "Date: Tue, 14 Nov 2023 22:14:25 +0000\r\nFrom: <e@f>\r\nTo: <a@b>,\r\n <c@d>\r\n"
	                "Subject: matter-import slack on vm1: done, but something is missing\r\n"));
	CHECK(holds(&b, "\r\n\r\nmatter-import slack on vm1: done, but something is missing\r\ncaf=C3=A9 | @all"));
	size_t line = 0, longest = 0;
	for (size_t i = 0; i < b.len; i++) {
		line = b.data[i] == '\n' ? 0 : line + 1;
		longest = line > longest ? line : longest;
		CHECK((unsigned char)b.data[i] < 0x80 && (b.data[i] != '\n' || b.data[i - 1] == '\r'));
	}
	CHECK(longest <= 77); /* with its CR */
	ark_buf_release(&b);
}

static void a_name_from_outside_makes_no_header(void)
{
	static const char *const to[] = { "a@b", NULL };
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_DONE);
	struct notify_moment at = { true, END.now_ms, "vm\r\nBcc: x@y" };
	notify_render_mail(&run, &at, "e@f", to, "id1", &b);
	CHECK(holds(&b, "Subject: matter-import slack on vm??Bcc: x@y: done\r\n"));
	ark_buf_release(&b);
}

static void commands_get_variables(void)
{
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_LOCKED);
	notify_render_environment(&run, &END, &b);
	for (size_t i = 0; i < b.len; i++)
		b.data[i] = b.data[i] == '\0' ? ';' : b.data[i];
	CHECK(holds(&b, "MATTERARK_NOTIFY_EVENT=end;MATTERARK_NOTIFY_TOOL=matter-import;"));
	CHECK(holds(&b, "_SECONDS=65;MATTERARK_NOTIFY_STATUS=locked;MATTERARK_NOTIFY_EXIT_CODE=5;"
	                "MATTERARK_NOTIFY_HEADLINE=;"));
	CHECK(holds(&b, ";MATTERARK_NOTIFY_COUNT_POSTS_WRITTEN=1234567;"));
	ark_buf_release(&b);
}

/* --- metrics ----------------------------------------------------------------------------------- */

#define LABELS "{tool=\"matter-import\",command=\"slack\"} "

static void metrics_of_a_first_run(void)
{
	struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_DONE);
	notify_metrics_render(ARK_STR_NONE, &run, &END, &b);
	CHECK_STR(ark_buf_view(&b),
	          "# HELP matterark_info Version of the tool that ran last.\n"
	          "# TYPE matterark_info gauge\n"
	          "matterark_info{tool=\"matter-import\",command=\"slack\",version=\"0.1.0\"} 1\n"
	          "# HELP matterark_last_run_duration_seconds How long the last run took.\n"
	          "# TYPE matterark_last_run_duration_seconds gauge\n"
	          "matterark_last_run_duration_seconds" LABELS "65.250\n"
	          "# HELP matterark_last_run_exit_code Exit code of the last run; 0 and 3 are runs that did their work.\n"
	          "# TYPE matterark_last_run_exit_code gauge\n"
	          "matterark_last_run_exit_code" LABELS "0\n"
	          "# HELP matterark_last_run_timestamp_seconds When the last run ended.\n"
	          "# TYPE matterark_last_run_timestamp_seconds gauge\n"
	          "matterark_last_run_timestamp_seconds" LABELS "1700000065\n"
	          "# HELP matterark_last_success_timestamp_seconds When the last run that did its work ended; 0: never.\n"
	          "# TYPE matterark_last_success_timestamp_seconds gauge\n"
	          "matterark_last_success_timestamp_seconds" LABELS "1700000065\n"
	          "# HELP matterark_posts_written Counted by the last run that did its work.\n"
	          "# TYPE matterark_posts_written gauge\n"
	          "matterark_posts_written" LABELS "1234567\n"
	          "# HELP matterark_read_bytes Counted by the last run that did its work.\n"
	          "# TYPE matterark_read_bytes gauge\n"
	          "matterark_read_bytes" LABELS "18446744073709551615\n");
	ark_buf_release(&b);
}

static void a_failed_run_ends_no_series(void)
{
	struct ark_buf b, c;
	struct notify_moment later = { true, END.now_ms + 86400000, "vm1" };
	ark_buf_init(&b, 1u << 16);
	ark_buf_init(&c, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_DONE);
	notify_metrics_render(ARK_STR_NONE, &run, &END, &b);
	run = sample_run(ARK_EXIT_FAILED);
	run.counts = NULL;
	run.count_count = 0;
	run.version = "0.2.0";
	notify_metrics_render(ark_buf_view(&b), &run, &later, &c);
	CHECK(holds(&c, "matterark_last_success_timestamp_seconds" LABELS "1700000065\n"));
	CHECK(holds(&c, "matterark_last_run_timestamp_seconds" LABELS "1700086465\n"));
	CHECK(holds(&c, "matterark_last_run_exit_code" LABELS "1\n"));
	CHECK(holds(&c, "matterark_posts_written" LABELS "1234567\n"));
	CHECK(holds(&c, "version=\"0.2.0\"} 1\n"));
	CHECK(ark_str_search(ark_buf_view(&c), ARK_LIT("0.1.0"), 0) == SIZE_MAX);
	/* and one that never did its work has the series all the same */
	ark_buf_reset(&c);
	notify_metrics_render(ARK_STR_NONE, &run, &later, &c);
	CHECK(holds(&c, "matterark_last_success_timestamp_seconds" LABELS "0\n"));
	ark_buf_release(&b);
	ark_buf_release(&c);
}

static void one_file_serves_several_commands(void)
{
	struct ark_buf b, c;
	ark_buf_init(&b, 1u << 16);
	ark_buf_init(&c, 1u << 16);
	struct notify_run run = sample_run(ARK_EXIT_DONE);
	notify_metrics_render(ARK_LIT("garbage\nforeign{a=\"b\"} 1\nmatterark_x{tool=\"t\",command=\"c\"} 1e\n"
	                              "matterark_x{tool=\"t\"} 8.1.1\nmatterark_x{tool=\"t\"} .8\nmatterark_x{tool=\"t} 8\nmatterark_x{} 8\nmatterark_x{tool=\"a\\\"\"} 8\n"
	                              "matterark_posts_written{tool=\"matter-import\",command=\"slackers\"} 7\n"),
	                      &run, &END, &b);
	run.command = "files";
	notify_metrics_render(ark_buf_view(&b), &run, &END, &c);
	CHECK(holds(&c, "# TYPE matterark_posts_written gauge\n"
	                "matterark_posts_written{tool=\"matter-import\",command=\"files\"} 1234567\n"
	                "matterark_posts_written{tool=\"matter-import\",command=\"slack\"} 1234567\n"
	                "matterark_posts_written{tool=\"matter-import\",command=\"slackers\"} 7\n"));
	CHECK(ark_str_search(ark_buf_view(&c), ARK_LIT("foreign"), 0) == SIZE_MAX);
	CHECK(ark_str_search(ark_buf_view(&c), ARK_LIT("1e"), 0) == SIZE_MAX);
	CHECK(ark_str_search(ark_buf_view(&c), ARK_LIT("} 8"), 0) == SIZE_MAX && ark_str_search(ark_buf_view(&c), ARK_LIT("} ."), 0) == SIZE_MAX);
	ark_buf_release(&b);
	ark_buf_release(&c);
}

int main(void)
{
	TAP_RUN(json_has_the_whole_run);
	TAP_RUN(webhooks_call_nobody_and_show_text_as_it_is);
	TAP_RUN(mail_is_ascii_and_its_lines_short);
	TAP_RUN(a_name_from_outside_makes_no_header);
	TAP_RUN(commands_get_variables);
	TAP_RUN(metrics_of_a_first_run);
	TAP_RUN(a_failed_run_ends_no_series);
	TAP_RUN(one_file_serves_several_commands);
	return tap_done();
}
