/* Command line, environment and configuration files: what is read, what wins, what is refused. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli/args.h"
#include "common/cli/render.h"
#include "tests/harness/tap.h"
#include "tests/unit/cli/example.h"

#include "common/base/banned.h"

#define MAX_WORDS 32

/* One reading: command line words, environment, files under a temporary folder. */
struct run {
	char *words[MAX_WORDS];
	char *env[MAX_WORDS];
	char folder[64];
	char system_file[128];
	char user_file[128];
	char env_texts[MAX_WORDS][192];
	char name[16];
	struct example config;
	struct ark_args args;
	struct ark_err err;
	enum ark_rc rc;
};

static void run_init(struct run *r)
{
	*r = (struct run){ 0 };
	snprintf(r->folder, sizeof(r->folder), "/tmp/ark-args-XXXXXX");
	if (mkdtemp(r->folder) == NULL)
		abort();
	snprintf(r->system_file, sizeof(r->system_file), "%s/system.conf", r->folder);
	snprintf(r->user_file, sizeof(r->user_file), "%s/.config/matterark.conf", r->folder);
	snprintf(r->env_texts[0], sizeof(r->env_texts[0]), "HOME=%s", r->folder);
	r->env[0] = r->env_texts[0];
}

static void set_env(struct run *r, size_t n, const char *text)
{
	snprintf(r->env_texts[n], sizeof(r->env_texts[n]), "%s", text);
	r->env[n] = r->env_texts[n];
}

static void run_release(struct run *r)
{
	char config[96];
	snprintf(config, sizeof(config), "%s/.config", r->folder);
	unlink(r->system_file);
	unlink(r->user_file);
	rmdir(config);
	rmdir(r->folder);
	ark_args_release(&r->args);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");
	if (f == NULL)
		abort();
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

static void user_file(struct run *r, const char *text)
{
	char config[96];
	snprintf(config, sizeof(config), "%s/.config", r->folder);
	mkdir(config, 0700);
	write_file(r->user_file, text, 0600);
}

/* Read `line`, split at blanks. */
static void run_line(struct run *r, char *line)
{
	int argc = 0;
	char *save = NULL;
	snprintf(r->name, sizeof(r->name), "matter-example");
	r->words[argc++] = r->name;
	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		r->words[argc++] = w;
	r->words[argc] = NULL;
	struct ark_places places = { .environ = r->env, .system_file = r->system_file };
	r->err = (struct ark_err){ 0 };
	r->rc = ark_args_read(&EXAMPLE, argc, r->words, &places, &r->config, &r->args, &r->err);
}

#define READ(r, text)                                                                      \
	char line_[] = text;                                                               \
	run_line(r, line_)

/* `text` is refused as a usage error with this message and hint. */
static void refused(const char *text, const char *message, const char *hint)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	char line[256];
	snprintf(line, sizeof(line), "%s", text);
	run_line(&r, line);
	CHECK_I64(r.rc, ARK_FAIL);
	CHECK_I64(r.err.kind, ARK_KIND_USAGE);
	CHECK_STR(ark_str_z(r.err.text), message);
	CHECK_STR(ark_str_z(r.err.hint), hint);
}

static void defaults_without_anything(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	READ(&r, "load --team ours a.zip");
	CHECK_I64(r.rc, ARK_OK);
	CHECK_I64(ark_args_command(&r.args), 1);
	CHECK(r.config.database == NULL && !r.config.embedded.given && !r.config.since.has);
	CHECK_I64(r.config.jobs, 4);
	CHECK_I64(r.config.memory, 256 << 20);
	CHECK_I64(r.config.bots, BOTS_KEEP);
	CHECK_STR(ark_str_z(r.config.team), "ours");
	CHECK_I64(r.args.operands.count, 1);
	CHECK_STR(ark_str_z(r.args.operands.items[0]), "a.zip");
	CHECK_STR(ark_str_z(ark_args_origin(&r.args, "team").text), "command line");
	CHECK_STR(ark_str_z(ark_args_origin(&r.args, "jobs").text), "default");
	CHECK(ark_args_given(&r.args, "team") && !ark_args_given(&r.args, "jobs"));
}

static void every_form_of_an_option(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	READ(&r, "--since=2024-05-01 load -nqj8 -cgen* -c dev --channels=a --team ours --bots skip "
	         "--memory 1GiB --embedded=/d a.zip -- -b");
	CHECK_I64(r.rc, ARK_OK);
	CHECK(r.config.dry_run && r.args.common.quiet);
	CHECK_I64(r.config.jobs, 8);
	CHECK_I64(r.config.channels.count, 3);
	CHECK_STR(ark_str_z(r.config.channels.items[0]), "gen*");
	CHECK_STR(ark_str_z(r.config.channels.items[1]), "dev");
	CHECK_STR(ark_str_z(r.config.channels.items[2]), "a");
	CHECK_I64(r.config.since.ms, 1714521600000);
	CHECK_I64(r.config.bots, BOTS_SKIP);
	CHECK_I64(r.config.memory, 1 << 30);
	CHECK_STR(ark_str_z(r.config.embedded.text), "/d");
	CHECK_STR(ark_str_z(r.args.operands.items[1]), "-b");
}

static void flags_are_taken_back(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	READ(&r, "load -t x a --dry-run --no-dry-run --no-direct -vv");
	CHECK_I64(r.rc, ARK_OK);
	CHECK(!r.config.dry_run && r.config.no_direct);
	CHECK_I64(r.args.common.verbose, 2);
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "load -t x a --no-direct --direct" });
	CHECK(!r.config.no_direct);
}

static void mistakes_are_named(void)
{
	refused("load --databse=postgres://u:secret@h/d", "unknown option '--databse'",
	        "did you mean --database?");
	refused("lod", "unknown command 'lod'", "did you mean 'load'?");
	refused("zzzzzz", "unknown command 'zzzzzz'", "'matter-example --help' lists the commands");
	refused("", "no command given", "'matter-example --help' lists the commands");
	refused("load a --team", "option '--team' needs a value (NAME)", "");
	refused(
	    "load --team --dry-run a", "option '--team' needs a value (NAME)",
	    "'--dry-run' is an option itself; if it is meant as the value write --team=--dry-run");
	refused("load -t x", "ARCHIVE... missing", "matter-example load ARCHIVE...");
	refused("load -t x a b c", "'c' is one argument too many", "");
	refused("load a", "option '--team NAME' is missing",
	        "--team: team that receives the channels; its name as it stands in addresses");
	refused("look a --team x", "option '--team' does not belong to 'matter-example look'",
	        "it belongs to: load");
	refused("--team x list", "option '--team' does not belong to 'matter-example list'",
	        "it belongs to: load");
	refused("load -t x a --dry-run=yes", "option '--dry-run' takes no value", "");
	refused("load -t x a -x", "unknown option '-x'",
		"'matter-example load --help' lists the options");
	refused("load a --help=x", "option '--help' takes no value", "");
	refused("load a --no-help", "unknown option '--no-help'",
	        "'matter-example load --help' lists the options");
	refused(
	    "load -t x a --slack-token=abc",
	    "'slack-token' is not taken from the command line, where everybody on this machine can "
	    "read it",
	    "set MATTERARK_SLACK_TOKEN in the environment, or 'slack-token = ...' in a "
	    "configuration file");
}

static void bad_values_are_named(void)
{
	refused("load -t x a -j 65", "option '--jobs': '65' is no whole number",
	        "give a whole number from 1 to 64");
	refused("load -t x a -j 0x4", "option '--jobs': '0x4' is no whole number",
	        "give a whole number from 1 to 64");
	refused("load -t x a --bots skpi",
		"option '--bots': 'skpi' is none of the words that are allowed",
		"did you mean 'skip'? (keep, skip)");
	refused("load -t x a --memory 12Q", "option '--memory': '12Q' is no size",
	        "give bytes or a number with K, M, G or T behind it, as in 256M");
	refused("load -t x a --memory 99999999999999999G",
	        "option '--memory': '99999999999999999G' is no size",
	        "give bytes or a number with K, M, G or T behind it, as in 256M");
	refused(
	    "load -t x a --since gestern", "option '--since': 'gestern' is no time",
	    "give a date (2024-05-01), a date-time (2024-05-01T12:00+02:00) or an age (36h, 30d)");
}

static void command_line_beats_environment_beats_files(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	write_file(r.system_file, "jobs = 5\nmemory = 1M\nbots = skip\nteam = system\n", 0644);
	user_file(&r, "jobs = 6\nmemory = 2M\noutput = u\n[matter-example]\noutput=v\n");
	set_env(&r, 1, "MATTERARK_JOBS=7");
	set_env(&r, 2, "MATTERARK_TEAM=env");
	READ(&r, "load a --team line");
	CHECK_I64(r.rc, ARK_OK);
	CHECK_STR(ark_str_z(r.config.team), "line");
	CHECK_I64(r.config.jobs, 7);
	CHECK_I64(r.config.memory, 2 << 20);
	CHECK_I64(r.config.bots, BOTS_SKIP);
	CHECK_STR(ark_str_z(r.config.output), "v");
	CHECK_STR(ark_str_z(ark_args_origin(&r.args, "jobs").text), "environment MATTERARK_JOBS");
	char want[160];
	snprintf(want, sizeof(want), "%s line 2", r.user_file);
	CHECK_STR(ark_str_z(ark_args_origin(&r.args, "memory").text), want);
	snprintf(want, sizeof(want), "%s line 3", r.system_file);
	CHECK_STR(ark_str_z(ark_args_origin(&r.args, "bots").text), want);
}

static void lists_are_replaced_by_a_higher_place(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	write_file(r.system_file, "[matter-example]\nchannels = a\nchannels = b\n", 0644);
	READ(&r, "look x");
	CHECK_I64(r.config.channels.count, 2);
	ark_args_release(&r.args);
	set_env(&r, 1, "MATTERARK_CHANNELS=c\n d \n\ne");
	run_line(&r, (char[]){ "look x" });
	CHECK_I64(r.config.channels.count, 3);
	CHECK_STR(ark_str_z(r.config.channels.items[1]), "d");
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "look x -c z" });
	CHECK_I64(r.config.channels.count, 1);
	CHECK_STR(ark_str_z(r.config.channels.items[0]), "z");
}

static void the_named_file_is_the_only_one(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	user_file(&r, "nonsense");
	write_file(r.system_file, "jobs = 9\n", 0600);
	char line[256];
	snprintf(line, sizeof(line), "load a -t x --config %s", r.system_file);
	run_line(&r, line);
	CHECK_I64(r.rc, ARK_OK);
	CHECK_I64(r.config.jobs, 9);
	ark_args_release(&r.args);
	char env[160];
	snprintf(env, sizeof(env), "MATTERARK_CONFIG=%s", r.system_file);
	set_env(&r, 1, env);
	run_line(&r, (char[]){ "load a -t x" });
	CHECK_I64(r.rc, ARK_OK);
	CHECK_I64(r.config.jobs, 9);
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "load a -t x --config /nowhere/at/all" });
	CHECK_I64(r.rc, ARK_FAIL);
	CHECK_I64(r.err.kind, ARK_KIND_USAGE);
	CHECK_STR(ark_str_z(r.err.text), "cannot read configuration file '/nowhere/at/all': "
	                                 "No such file or directory");
}

static void files_have_comments_quotes_and_sections(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	user_file(&r, "\xEF\xBB\xBF# a comment\r\n"
	              "team = two words # and a comment\r\n"
	              "\n"
	              "database=\"host=/tmp password='a # \\\"b\\\\' \" # quoted\n"
	              "repo-password-file = /x\n");
	READ(&r, "load a");
	CHECK_I64(r.rc, ARK_FAIL);
	ark_args_release(&r.args);
	user_file(&r, "\xEF\xBB\xBF# a comment\r\n"
	              "team = two words # and a comment\r\n"
	              "database=\"host=/tmp password='a # \\\"b\\\\' \" # quoted\n"
	              "notify = https://known.to/other/tools\n"
	              "[matter-backup]\n"
	              "whatever = belongs to matter-backup\n"
	              "[ matter-example ] # ours\n"
	              "no-direct = on\n"
	              "dry-run = no\n"
	              "output = a#b\n"
	              "embedded = yes\n");
	run_line(&r, (char[]){ "load a" });
	CHECK_STR(ark_str_z(r.err.text), "");
	CHECK_STR(ark_str_z(r.config.team), "two words");
	CHECK_STR(ark_str_z(r.config.database), "host=/tmp password='a # \"b\\' ");
	CHECK(r.config.no_direct && !r.config.dry_run);
	CHECK_STR(ark_str_z(r.config.output), "a#b");
	CHECK(r.config.embedded.given && r.config.embedded.text == NULL);
}

/* A user's file with this text is refused; `message` comes behind "FILE line N: ". */
static void bad_file(const char *text, unsigned line, const char *message, const char *hint)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	user_file(&r, text);
	READ(&r, "load a -t x");
	char want[512];
	snprintf(want, sizeof(want), "%s line %u: %s", r.user_file, line, message);
	CHECK_I64(r.rc, ARK_FAIL);
	CHECK_I64(r.err.kind, ARK_KIND_USAGE);
	CHECK_STR(ark_str_z(r.err.text), want);
	CHECK_STR(ark_str_z(r.err.hint), hint);
}

static void bad_files_are_named_with_their_line(void)
{
	bad_file("jobs = 3\njbos = 4\n", 2, "unknown key 'jbos'", "did you mean 'jobs'?");
	bad_file("chunk-size = 4\n", 1, "unknown key 'chunk-size'",
	         "an option of another tool belongs into the section of that tool, as in "
	         "[matter-backup]");
	bad_file("[matter-example]\nnotify = x\n", 2, "unknown key 'notify'",
	         "'matter-example --help' lists the options");
	bad_file("[matter-bakcup]\n", 1, "unknown section 'matter-bakcup'",
	         "did you mean [matter-backup]?");
	bad_file("[matter-example\n", 1, "a section header is not closed by ']'", "");
	bad_file("\n\ndry-run\n", 3, "neither 'key = value' nor '[section]'",
	         "a flag is switched on by 'key = yes'");
	bad_file("dry-run = maybe\n", 1, "'dry-run': 'maybe' is neither 'yes' nor 'no'", "");
	bad_file("team = \"x\n", 1, "a value is not closed by '\"'", "");
	bad_file("team = \"x\" y\n", 1, "something stands behind the closing '\"'", "");
	bad_file("help = yes\n", 1, "'help' cannot stand in a configuration file", "");
	bad_file("config = /x\n", 1, "'config' cannot stand in a configuration file", "");
	bad_file("jobs = 1000\n", 1, "'jobs': '1000' is no whole number",
	         "give a whole number from 1 to 64");
}

static void a_binary_file_is_no_configuration(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	READ(&r, "load a -t x --config /proc/self/exe");
	CHECK_I64(r.rc, ARK_FAIL);
	CHECK_STR(ark_str_z(r.err.text), "'/proc/self/exe' is no configuration file");
}

static void a_secret_that_everybody_can_read_is_warned_of(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	write_file(r.system_file, "database = postgres://u:p@h/d\n", 0644);
	READ(&r, "list");
	CHECK_I64(r.rc, ARK_OK);
	CHECK_I64(r.args.warnings.count, 1);
	CHECK(strstr(r.args.warnings.items[0], "holds 'database' and can be read by everybody") !=
	      NULL);
	CHECK(strstr(r.args.warnings.items[0], "u:p") == NULL);
	ark_args_release(&r.args);
	chmod(r.system_file, 0640);
	run_line(&r, (char[]){ "list" });
	CHECK_I64(r.args.warnings.count, 0);
}

static void a_value_from_the_environment_is_named(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	set_env(&r, 1, "MATTERARK_JOBS=many");
	READ(&r, "load a -t x");
	CHECK_STR(ark_str_z(r.err.text), "environment MATTERARK_JOBS: 'many' is no whole number");
	ark_args_release(&r.args);
	/* nothing to do with this command, and set to nothing: both as if it were not there */
	run_line(&r, (char[]){ "list" });
	CHECK_I64(r.rc, ARK_OK);
	ark_args_release(&r.args);
	set_env(&r, 1, "MATTERARK_JOBS=");
	run_line(&r, (char[]){ "load a -t x" });
	CHECK_I64(r.rc, ARK_OK);
	CHECK_I64(r.config.jobs, 4);
}

static void help_needs_no_configuration(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	user_file(&r, "nonsense");
	READ(&r, "load --help");
	CHECK_I64(r.rc, ARK_END);
	CHECK(r.args.common.help && r.args.command == &EXAMPLE_COMMANDS[1]);
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "--help list" });
	CHECK(r.rc == ARK_END && r.args.command == &EXAMPLE_COMMANDS[2]);
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "-V" });
	CHECK(r.rc == ARK_END && r.args.common.version);
	ark_args_release(&r.args);
	run_line(&r, (char[]){ "--render=fish" });
	CHECK(r.rc == ARK_END && r.args.common.render == ARK_RENDER_FISH);
}

static void show_config_asks_for_nothing_and_hides_secrets(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	set_env(&r, 1, "MATTERARK_DATABASE=postgres://u:geheim@h/d");
	READ(&r, "load --show-config -c a -c b\x01");
	CHECK_I64(r.rc, ARK_OK);
	ark_args_set_origin(&r.args, "embedded", "nothing else was said");
	char *text = NULL;
	size_t len = 0;
	struct ark_talk talk = { .tool = "matter-example", .out = open_memstream(&text, &len) };
	ark_show_config(&r.args, &r.config, &talk);
	fclose(talk.out);
	CHECK(strstr(text, "geheim") == NULL);
	CHECK(strstr(text, "database             = ***  (environment MATTERARK_DATABASE)\n") !=
	      NULL);
	CHECK(strstr(text, "embedded             = no  (nothing else was said)\n") != NULL);
	CHECK(strstr(text, "channels             = a, b?  (command line)\n") != NULL);
	CHECK(strstr(text, "memory               = 268435456  (default)\n") != NULL);
	CHECK(strstr(text, "since                  (not set)\n") != NULL);
	CHECK(strstr(text, "show-config") == NULL);
	free(text);
}

static void a_thousand_list_items(void)
{
	ark_auto(run_release) struct run r;
	run_init(&r);
	FILE *f = fopen(r.system_file, "w");
	fputs("[matter-example]\n", f);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "channels = c%d\n", i);
	fclose(f);
	READ(&r, "look x");
	CHECK_I64(r.config.channels.count, 1000);
	CHECK_STR(ark_str_z(r.config.channels.items[0]), "c0");
	CHECK_STR(ark_str_z(r.config.channels.items[513]), "c513");
	CHECK_STR(ark_str_z(r.config.channels.items[999]), "c999");
}

static void nearest_word(void)
{
	static const char *const WORDS[] = { "check", "slack", "verify", "runs" };
	CHECK_I64(ark_nearest(ARK_LIT("chekc"), WORDS, 4), 0);
	CHECK_I64(ark_nearest(ARK_LIT("ver"), WORDS, 4), 2);
	CHECK_I64(ark_nearest(ARK_LIT("run"), WORDS, 4), 3);
	CHECK_I64(ark_nearest(ARK_LIT("backup"), WORDS, 4), SIZE_MAX);
	CHECK_I64(ark_nearest(ARK_LIT("x"), WORDS, 4), SIZE_MAX);
}

int main(void)
{
	TAP_RUN(defaults_without_anything);
	TAP_RUN(every_form_of_an_option);
	TAP_RUN(flags_are_taken_back);
	TAP_RUN(mistakes_are_named);
	TAP_RUN(bad_values_are_named);
	TAP_RUN(command_line_beats_environment_beats_files);
	TAP_RUN(lists_are_replaced_by_a_higher_place);
	TAP_RUN(the_named_file_is_the_only_one);
	TAP_RUN(files_have_comments_quotes_and_sections);
	TAP_RUN(bad_files_are_named_with_their_line);
	TAP_RUN(a_binary_file_is_no_configuration);
	TAP_RUN(a_secret_that_everybody_can_read_is_warned_of);
	TAP_RUN(a_value_from_the_environment_is_named);
	TAP_RUN(help_needs_no_configuration);
	TAP_RUN(show_config_asks_for_nothing_and_hides_secrets);
	TAP_RUN(a_thousand_list_items);
	TAP_RUN(nearest_word);
	return tap_done();
}
