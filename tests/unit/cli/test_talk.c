/* Messages, JSON lines, exit codes: what goes where, and that nothing from outside acts on a
 * terminal. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/cli/talk.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

/* A talk whose streams are kept in memory. */
struct heard {
	struct ark_talk talk;
	char *out, *err;
	size_t out_len, err_len;
};

static void listen_to(struct heard *h, enum ark_level level)
{
	*h = (struct heard){ .talk = { .tool = "matter-example", .level = level } };
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

static void errors_have_hint_and_exit_code(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_ERROR);
	struct ark_err err = { 0 };
	ark_err_set(&err, ARK_KIND_REFUSED, "version %d is too old", 7);
	ark_err_hint(&err, "upgrade first");
	CHECK_I64(ark_fail(&h.talk, &err), 4);
	CHECK_STR(said(&h), "matter-example: error: version 7 is too old\n"
	                    "matter-example: hint: upgrade first\n");
	CHECK_STR(printed(&h), "");
	CHECK_I64(h.talk.errors, 1);
}

static void levels_decide_what_is_shown(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	ark_debug(&h.talk, "x", "debug");
	ark_info(&h.talk, "x", "info");
	ark_warn(&h.talk, "x", "warning %d", 1);
	CHECK_STR(said(&h), "matter-example: warning: warning 1\n");
	h.talk.level = ARK_LEVEL_DEBUG;
	ark_debug(&h.talk, "x", "debug");
	ark_info(&h.talk, "x", "phase");
	CHECK_STR(said(&h), "matter-example: warning: warning 1\n"
	                    "matter-example: debug: debug\n"
	                    "phase\n");
	CHECK_I64(h.talk.warnings, 1);
}

static void control_characters_are_defused(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_INFO);
	/* escape, C1 CSI, a bidirectional override, a bad byte, a newline; the emoji stays */
	ark_info(&h.talk, "x", "%s",
		 "a\033[2Jb\xc2\x9b"
		 "c\xe2\x80\xae"
		 "d\xff"
		 "e\nf\xf0\x9f\x98\x80");
	CHECK_STR(said(&h), "a?[2Jb?c?d\xef\xbf\xbd" "e?f\xf0\x9f\x98\x80\n");
	ark_out(&h.talk, "x\t%s", "\033]0;title\007");
	CHECK_STR(printed(&h), "x\t?]0;title?\n");
}

static void colours_only_where_asked(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_INFO);
	h.talk.colour = true;
	ark_warn(&h.talk, "x", "odd");
	ark_info(&h.talk, "x", "phase");
	CHECK_STR(said(&h), "matter-example: \033[1;33mwarning: \033[0modd\nphase\n");
}

static void json_goes_to_standard_output(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	h.talk.json = true;
	ark_info(&h.talk, "import.reading", "reading \"x\"");
	ark_warn(&h.talk, "import.odd", "odd\xff");
	ark_out(&h.talk, "not for programs");
	CHECK_STR(printed(&h), "{\"message_type\":\"status\",\"msgid\":\"import.reading\",\"text\":"
			       "\"reading \\\"x\\\"\"}\n"
			       "{\"message_type\":\"warning\",\"msgid\":\"import.odd\",\"text\":"
			       "\"odd\xef\xbf\xbd\"}\n");
	CHECK_STR(said(&h), "matter-example: warning: odd\xef\xbf\xbd\n");
}

static void log_json_goes_to_standard_error(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	h.talk.log_json = true;
	struct ark_err err = { .kind = ARK_KIND_IO, .text = "disk full", .hint = "free some" };
	CHECK_I64(ark_fail(&h.talk, &err), 1);
	struct ark_str line = said(&h);
	CHECK(ark_str_starts(line,
			     ARK_LIT("{\"message_type\":\"error\",\"msgid\":\"error.io\",\"text\":"
				     "\"disk full\",\"hint\":\"free some\",\"time\":\"20")));
	CHECK(ark_str_ends(line, ARK_LIT("Z\"}\n")));
	CHECK_STR(printed(&h), "");
}

static void an_event_with_everything(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	struct ark_event e;
	h.talk.json = true;
	ark_event_begin(&e, "summary", "import.done");
	ark_event_u64(&e, "read", 3);
	ark_event_open(&e, "skipped");
	ark_event_close(&e);
	ark_event_i64(&e, "delta", -1);
	ark_event_bool(&e, "ok", true);
	ark_event_time(&e, "at", 0);
	ark_event_text(&e, "none", ARK_STR_NONE);
	ark_event_open_list(&e, "archives");
	ark_event_text(&e, NULL, ARK_LIT("a"));
	ark_event_open(&e, NULL);
	ark_event_u64(&e, "n", 1); /* what is left open is closed */
	ark_event_send(&e, &h.talk);
	CHECK_STR(
	    printed(&h),
	    "{\"message_type\":\"summary\",\"msgid\":\"import.done\",\"read\":3,\"skipped\":{},"
	    "\"delta\":-1,\"ok\":true,\"at\":\"1970-01-01T00:00:00.000Z\",\"none\":null,"
	    "\"archives\":[\"a\",{\"n\":1}]}\n");
	h.talk.json = false;
	ark_event_begin(&e, "summary", "import.done");
	ark_event_send(&e, &h.talk);
	CHECK(!ark_str_ends(printed(&h), ARK_LIT("done\"}\n")));
}

static void long_values_are_cut_between_runes(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	size_t size = LIMIT_TALK * 2;
	char *big = ark_malloc(size + 1);
	for (size_t i = 0; i < size; i += 2)
		memcpy(big + i, "\xc3\xa4", 3);
	ark_warn(&h.talk, "x", "x%s", big);
	CHECK(said(&h).len < LIMIT_TALK);
	CHECK(ark_str_ends(said(&h), ARK_LIT("\xc3\xa4\n")));
	struct ark_event e;
	h.talk.json = true;
	ark_event_begin(&e, "run", "x");
	ark_event_text(&e, "big", ark_str_n(big, size));
	ark_event_send(&e, &h.talk);
	CHECK(printed(&h).len < LIMIT_TALK + 100);
	free(big);
}

static void a_full_disk_is_told(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	FILE *memory = h.talk.out;
	h.talk.out = fopen("/dev/full", "w");
	ark_out(&h.talk, "data");
	CHECK_I64(ark_finish(&h.talk, ARK_EXIT_DONE), 1);
	CHECK_STR(said(&h),
		  "matter-example: error: cannot write to standard output: "
		  "No space left on device\n"
		  "matter-example: hint: free some space and run the same command again\n");
	h.talk.out = memory;
}

static void a_full_disk_in_the_middle_is_told_too(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_ERROR);
	FILE *memory = h.talk.out;
	h.talk.out = fopen("/dev/full", "w");
	setvbuf(h.talk.out, NULL, _IONBF, 0);
	ark_out(&h.talk, "data");
	errno = 0;
	CHECK_I64(ark_finish(&h.talk, ARK_EXIT_LOSSES), 1);
	CHECK(ark_str_search(said(&h), ARK_LIT("No space left"), 0) != SIZE_MAX);
	h.talk.out = memory;
}

static void a_reader_that_went_away_is_no_news(void)
{
	ark_auto(heard_release) struct heard h;
	listen_to(&h, ARK_LEVEL_WARNING);
	FILE *memory = h.talk.out;
	int ends[2];
	ark_signal_install();
	if (pipe(ends) != 0)
		abort();
	close(ends[0]);
	h.talk.out = fdopen(ends[1], "w");
	ark_out(&h.talk, "data");
	CHECK_I64(ark_finish(&h.talk, ARK_EXIT_DONE), 1);
	CHECK_STR(said(&h), "");
	h.talk.out = memory;
}

static void codes_that_failed_stay(void)
{
	struct ark_talk talk = { .tool = "x", .out = fopen("/dev/null", "w"), .err = stderr };
	CHECK_I64(ark_finish(&talk, ARK_EXIT_LOCKED), 5);
	size_t count;
	const struct ark_exit_row *rows = ark_exit_table(&count);
	CHECK_I64(count, 7);
	for (size_t i = 1; i < count; i++)
		CHECK(rows[i].code > rows[i - 1].code);
	CHECK_I64(ark_exit_of(ARK_KIND_USAGE), 2);
	CHECK_I64(ark_exit_of(ARK_KIND_SIGNAL), 130);
	CHECK_I64(ark_exit_of(ARK_KIND_INPUT), 1);
}

/* Run `fn` in a child; its wait status. */
static int in_child(void (*fn)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		fn();
		_exit(99);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

static void child_first_signal(void)
{
	struct ark_err err = { 0 };
	ark_signal_install();
	if (ark_interrupted() || ark_interrupt_check(&err) != ARK_OK)
		_exit(1);
	raise(SIGTERM);
	_exit(ark_interrupted() && ark_interrupt_check(&err) == ARK_FAIL &&
	              err.kind == ARK_KIND_SIGNAL ? 0 : 2);
}

static void child_second_signal(void)
{
	ark_signal_install();
	raise(SIGINT);
	raise(SIGINT);
}

static void child_ignored(void)
{
	signal(SIGINT, SIG_IGN);
	ark_signal_install();
	raise(SIGINT);
	_exit(ark_interrupted());
}

static void child_progress(void)
{
	ark_signal_install();
	bool before = ark_signal_progress_wanted();
	raise(SIGUSR1);
	bool once = ark_signal_progress_wanted();
	_exit(!before && once && !ark_signal_progress_wanted() ? 0 : 1);
}

static void signals_ask_first_and_kill_then(void)
{
	CHECK_I64(in_child(child_first_signal), 0);
	int status = in_child(child_second_signal);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	CHECK_I64(in_child(child_ignored), 0);
	CHECK_I64(in_child(child_progress), 0);
}

static void numbers_for_people(void)
{
	static const struct {
		uint64_t n;
		const char *count, *bytes;
	} ROWS[] = {
		{ 0, "0", "0 B" },
		{ 999, "999", "999 B" },
		{ 1000, "1,000", "1000 B" },
		{ 1023, "1,023", "1023 B" },
		{ 1024, "1,024", "1.00 KiB" },
		{ 1048575, "1,048,575", "1.00 MiB" },
		{ 12897484, "12,897,484", "12.3 MiB" },
		{ 1001001001, "1,001,001,001", "955 MiB" },
		{ UINT64_MAX, "18,446,744,073,709,551,615", "16.0 EiB" },
	};
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		ark_auto(ark_buf_release) struct ark_buf b;
		ark_buf_init(&b, 100);
		ark_human_count(&b, ROWS[i].n);
		CHECK_STR(ark_buf_view(&b), ROWS[i].count);
		ark_buf_reset(&b);
		ark_human_bytes(&b, ROWS[i].n);
		CHECK_STR(ark_buf_view(&b), ROWS[i].bytes);
	}
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 100);
	ark_human_duration(&b, 41999);
	ark_buf_c(&b, ' ');
	ark_human_duration(&b, 10931000);
	CHECK_STR(ark_buf_view(&b), "0:41 3:02:11");
}

int main(void)
{
	TAP_RUN(errors_have_hint_and_exit_code);
	TAP_RUN(levels_decide_what_is_shown);
	TAP_RUN(control_characters_are_defused);
	TAP_RUN(colours_only_where_asked);
	TAP_RUN(json_goes_to_standard_output);
	TAP_RUN(log_json_goes_to_standard_error);
	TAP_RUN(an_event_with_everything);
	TAP_RUN(long_values_are_cut_between_runes);
	TAP_RUN(a_full_disk_is_told);
	TAP_RUN(a_full_disk_in_the_middle_is_told_too);
	TAP_RUN(a_reader_that_went_away_is_no_news);
	TAP_RUN(codes_that_failed_stay);
	TAP_RUN(signals_ask_first_and_kill_then);
	TAP_RUN(numbers_for_people);
	return tap_done();
}
