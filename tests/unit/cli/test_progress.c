/*
 * The progress line on a real pseudo-terminal: when it comes, how wide it is, that messages and the
 * end leave nothing of it behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/utf8.h"
#include "common/cli/progress.h"
#include "common/cli/signal.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

/* A clock that only the test moves; the room asks for it through a plain function pointer. */
static int64_t fake_ms;
static int64_t fake_clock(void)
{
	return fake_ms;
}

struct screen {
	int master;
	struct ark_talk talk;
	struct ark_progress bar;
	char seen[65536]; /* everything that came out, raw */
	size_t len;
};

static void screen_open(struct screen *s, unsigned short columns)
{
	*s = (struct screen){ .master = posix_openpt(O_RDWR | O_NOCTTY) };
	char name[128];
	if (s->master < 0 || grantpt(s->master) != 0 || unlockpt(s->master) != 0 ||
	    ptsname_r(s->master, name, sizeof(name)) != 0)
		abort();
	int slave = open(name, O_RDWR | O_NOCTTY);
	struct termios raw;
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	ioctl(slave, TIOCSWINSZ, &size);
	fcntl(s->master, F_SETFL, O_NONBLOCK);
	s->talk = (struct ark_talk){ .tool = "matter-example", .err = fdopen(slave, "w"),
		                     .out = fopen("/dev/null", "w"), .level = ARK_LEVEL_INFO,
		                     .terminal = true };
	fake_ms = 1000000;
	ark_progress_begin(&s->bar, &s->talk);
	s->bar.clock_ms = fake_clock;
	s->bar.begin_ms = fake_ms;
	s->bar.json_ms = fake_ms;
}

static void screen_close(struct screen *s)
{
	ark_progress_end(&s->bar);
	fclose(s->talk.err);
	fclose(s->talk.out);
	close(s->master);
}

static struct ark_str look(struct screen *s)
{
	ssize_t n;
	while ((n = read(s->master, s->seen + s->len, sizeof(s->seen) - s->len)) > 0)
		s->len += (size_t)n;
	return ark_str_n(s->seen, s->len);
}

/* The line as a terminal would show it: \r goes to the first column, ESC [ K clears from there. */
static struct ark_str shown(struct screen *s, char line[256])
{
	struct ark_str all = look(s);
	size_t at = 0, len = 0;
	for (size_t i = 0; i < all.len; i++) {
		char c = all.ptr[i];
		if (c == '\r' || c == '\n') {
			at = 0;
			len = c == '\n' ? 0 : len;
		} else if (c == '\033') {
			i += 2;
			len = at;
		} else if (at < 255) {
			line[at++] = c;
			len = at > len ? at : len;
		}
	}
	return ark_str_n(line, len);
}

static void nothing_before_a_second(void)
{
	ark_auto(screen_close) struct screen s;
	screen_open(&s, 80);
	ark_progress_phase(&s.bar, "reading", "messages", 100, 0);
	for (int i = 0; i < 99; i++) {
		fake_ms += 10;
		ark_progress_add(&s.bar, 1, 0);
	}
	CHECK_I64(look(&s).len, 0);
	fake_ms += 10;
	ark_progress_add(&s.bar, 1, 0);
	CHECK(look(&s).len > 0);
}

static void the_line_says_where_we_are(void)
{
	ark_auto(screen_close) struct screen s;
	char line[256];
	screen_open(&s, 100);
	ark_progress_phase(&s.bar, "reading", "messages", 4000, 0);
	for (int i = 0; i < 200; i++) {
		fake_ms += 10;
		ark_progress_add(&s.bar, 5, 2048);
	}
	CHECK_STR(shown(&s, line), "reading  [========>                         ]   25%  "
	                           "1,000/4,000 messages  400 KiB  500/s  ETA 0:06");
	ark_progress_phase(&s.bar, "loading", NULL, 0, 0);
	fake_ms += 3000;
	ark_progress_add(&s.bar, 0, 3 << 20);
	CHECK_STR(shown(&s, line), "loading  3.00 MiB  1.00 MiB/s  0:03");
}

static void at_most_ten_times_a_second(void)
{
	ark_auto(screen_close) struct screen s;
	screen_open(&s, 80);
	ark_progress_phase(&s.bar, "x", "things", 0, 0);
	fake_ms += 1000;
	for (int i = 0; i < 2000; i++) {
		fake_ms += 1;
		ark_progress_add(&s.bar, 1, 0);
	}
	size_t drawn = 0;
	struct ark_str all = look(&s);
	for (size_t i = 0; i < all.len; i++)
		drawn += all.ptr[i] == '\r';
	CHECK(drawn >= 10 && drawn <= 20);
}

static void the_line_fits_every_width(void)
{
	for (unsigned short columns = 1; columns < 130; columns++) {
		ark_auto(screen_close) struct screen s;
		char line[256];
		screen_open(&s, columns);
		ark_progress_phase(&s.bar, "日本語 reading", "messages", 1234567, 99999999);
		fake_ms += 1500;
		s.bar.items = 234567;
		ark_progress_add(&s.bar, 1, 777777);
		struct ark_str text = shown(&s, line);
		CHECK(ark_utf8_valid(text));
		CHECK(ark_utf8_columns(text) < columns || columns == 1);
	}
}

static void messages_stand_on_lines_of_their_own(void)
{
	ark_auto(screen_close) struct screen s;
	char line[256];
	screen_open(&s, 60);
	ark_progress_phase(&s.bar, "reading", NULL, 0, 0);
	fake_ms += 1500;
	ark_progress_add(&s.bar, 0, 1);
	size_t before = look(&s).len;
	ark_warn(&s.talk, "x", "odd");
	struct ark_str said = ark_str_from(look(&s), before);
	CHECK(ark_str_starts(said, ARK_LIT("\r\033[Kmatter-example: warning: odd\n\rreading")));
	CHECK(ark_str_starts(shown(&s, line), ARK_LIT("reading")));
	ark_progress_end(&s.bar);
	CHECK_STR(shown(&s, line), "");
	before = look(&s).len;
	ark_warn(&s.talk, "x", "late");
	CHECK_STR(ark_str_from(look(&s), before), "matter-example: warning: late\n");
}

static void outside_text_is_harmless(void)
{
	ark_auto(screen_close) struct screen s;
	char line[256];
	screen_open(&s, 60);
	ark_progress_phase(&s.bar, "a\033[2Jb\n", "x\033y", 0, 0);
	fake_ms += 1500;
	ark_progress_add(&s.bar, 1, 0);
	CHECK_STR(shown(&s, line), "a?[2Jb?  1 x?y  0/s  0:01");
}

static void quiet_draws_nothing(void)
{
	ark_auto(screen_close) struct screen s;
	screen_open(&s, 60);
	s.talk.level = ARK_LEVEL_ERROR;
	ark_progress_phase(&s.bar, "a", NULL, 0, 0);
	fake_ms += 1500;
	ark_progress_add(&s.bar, 0, 1);
	CHECK_I64(look(&s).len, 0);
}

static void sigusr1_is_answered_without_a_terminal(void)
{
	ark_auto(screen_close) struct screen s;
	screen_open(&s, 60);
	s.talk.terminal = false;
	s.talk.level = ARK_LEVEL_ERROR;
	ark_signal_install();
	ark_progress_phase(&s.bar, "reading", "messages", 8, 0);
	fake_ms += 500; /* before the first second, too */
	raise(SIGUSR1);
	ark_progress_add(&s.bar, 2, 0);
	CHECK_STR(look(&s),
		  "reading  [=========>                            ]   25%  2/8 messages  "
		  "4/s  ETA 0:01\n");
	CHECK_I64(s.talk.level, ARK_LEVEL_ERROR);
}

static void json_gets_a_status_per_second(void)
{
	ark_auto(screen_close) struct screen s;
	char *text = NULL;
	size_t len = 0;
	screen_open(&s, 60);
	fclose(s.talk.out);
	s.talk.out = open_memstream(&text, &len);
	s.talk.json = true;
	s.talk.terminal = false;
	ark_progress_phase(&s.bar, "reading", "messages", 100, 0);
	for (int i = 0; i < 25; i++) {
		fake_ms += 100;
		ark_progress_add(&s.bar, 1, 7);
	}
	fflush(s.talk.out);
	CHECK_STR(ark_str_n(text, len),
	          "{\"message_type\":\"status\",\"msgid\":\"progress\",\"phase\":\"reading\","
	          "\"noun\":\"messages\",\"items\":10,\"total_items\":100,\"bytes\":70,"
	          "\"elapsed_ms\":1000,\"left_ms\":9000}\n"
	          "{\"message_type\":\"status\",\"msgid\":\"progress\",\"phase\":\"reading\","
	          "\"noun\":\"messages\",\"items\":20,\"total_items\":100,\"bytes\":140,"
	          "\"elapsed_ms\":2000,\"left_ms\":8000}\n");
	fclose(s.talk.out);
	free(text);
	s.talk.out = fopen("/dev/null", "w");
}

static void other_threads_count_too(void)
{
	ark_auto(screen_close) struct screen s;
	char line[256];
	screen_open(&s, 100);
	ark_progress_phase(&s.bar, "x", "files", 10, 0);
	ark_progress_count(&s.bar, 4, 0);
	fake_ms += 1500;
	ark_progress_add(&s.bar, 1, 0);
	CHECK(ark_str_search(shown(&s, line), ARK_LIT(" 50%  5/10 files"), 0) != SIZE_MAX);
}

int main(void)
{
	TAP_RUN(nothing_before_a_second);
	TAP_RUN(the_line_says_where_we_are);
	TAP_RUN(at_most_ten_times_a_second);
	TAP_RUN(the_line_fits_every_width);
	TAP_RUN(messages_stand_on_lines_of_their_own);
	TAP_RUN(outside_text_is_harmless);
	TAP_RUN(quiet_draws_nothing);
	TAP_RUN(sigusr1_is_answered_without_a_terminal);
	TAP_RUN(json_gets_a_status_per_second);
	TAP_RUN(other_threads_count_too);
	return tap_done();
}
