#include "common/notify/address.h"
#include "tests/harness/tap.h"

#include "common/base/banned.h"

static bool parse(const char *text, struct notify_address *a)
{
	struct ark_err err = { 0 };
	return notify_address_parse(text, a, &err) == ARK_OK;
}

static bool refused(const char *text)
{
	struct ark_err err = { 0 };
	struct notify_address a = { 0 };
	bool no = notify_address_parse(text, &a, &err) < 0;
	if (!no)
		notify_address_release(&a);
	CHECK(!no || (err.kind == ARK_KIND_USAGE && strstr(err.text, "secret") == NULL && err.hint[0] != '\0'));
	return no;
}

static void the_kind_is_told_by_the_address(void)
{
	static const struct {
		const char *text;
		enum notify_kind kind;
		const char *shown;
	} ROWS[] = {
		{ "https://chat.example.com/hooks/secretkey", NOTIFY_WEBHOOK, "https://chat.example.com/hooks/***" },
		{ "http://u:secret@h:8065/sub/hooks/secret", NOTIFY_WEBHOOK, "http://h:8065/hooks/***" },
		{ "https://hc-ping.com/secret?create=1", NOTIFY_PING, "https://hc-ping.com/***" },
		{ "https://h/hooks/", NOTIFY_PING, "https://h/***" },
		{ "https://h/?x=/hooks/secret", NOTIFY_PING, "https://h/***" },
		{ "mqtt://u:secret@broker/a/b", NOTIFY_MQTT, "mqtt://broker" },
		{ "mqtts://[::1]:8884/a", NOTIFY_MQTT, "mqtts://[::1]:8884" },
		{ "smtp://u:secret@mail/?to=a@b", NOTIFY_MAIL, "smtp://mail" },
		{ "smtps://mail:466?to=a@b", NOTIFY_MAIL, "smtps://mail:466" },
		{ "exec:TOKEN=secret notify-send x", NOTIFY_EXEC, "exec:***" },
	};
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct notify_address a;
		CHECK(parse(ROWS[i].text, &a));
		CHECK_I64(a.kind, ROWS[i].kind);
		CHECK_STR(ark_buf_view(&a.shown), ROWS[i].shown);
		notify_address_release(&a);
	}
}

static void parts_are_decoded(void)
{
	struct notify_address a;
	CHECK(parse("mqtts://us%40er:p%2Fw@broker:8884/back%20up/x?retain=1", &a));
	CHECK(a.tls && a.retain && a.url.port == 8884);
	CHECK_STR(ark_str_z(a.url.user), "us@er");
	CHECK_STR(ark_str_z(a.url.password), "p/w");
	CHECK_STR(ark_buf_view(&a.topic), "back up/x");
	notify_address_release(&a);
	CHECK(parse("smtp://mail:2525/?to=a+x@b.example&to=c%40d&from=e@f", &a));
	CHECK(!a.tls && a.url.port == 2525 && a.to_count == 2);
	CHECK_STR(ark_str_z(a.to[0]), "a+x@b.example");
	CHECK_STR(ark_str_z(a.to[1]), "c@d");
	CHECK(a.to[2] == NULL);
	CHECK_STR(ark_buf_view(&a.from), "e@f");
	notify_address_release(&a);
	CHECK(parse("smtp://mail/?to=a@b", &a));
	CHECK_STR(ark_buf_view(&a.from), "a@b");
	notify_address_release(&a);
	CHECK(parse("exec:echo  a b", &a));
	CHECK_STR(ark_str_z(a.text), "echo  a b");
	notify_address_release(&a);
}

static void what_is_no_address_is_refused_without_quoting_it(void)
{
	static const char *const ROWS[] = {
		"", "secret", "ftp://secret@h/", "https://", "exec:", "exec:  ",
		"https://h/secret#x", "https://h:99999/secret", "https://h:0/secret",
		"mqtt://h/", "mqtt://h/secret/+", "mqtt://h/secret%00", "mqtt://h/secret%ff", "mqtt://h/secret?qos=1",
		"mqtt://h/secret?retain=yes", "mqtt://:secret@h/a",
		"smtp://h/", "smtp://h/?to=secret", "smtp://h/?to=a@b%0d%0aRCPT", "smtp://h/?to=a@b&cc=secret@x",
		"smtp://h/?to=<a@b>", "smtp://h/?to=a@b&from=x@y&from=x@z", "smtp://h/secret?to=a@b",
		"smtp://h/?to=a@b,c@d",
	};
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		if (!refused(ROWS[i]))
			printf("# taken: %s\n", ROWS[i]);
		CHECK(refused(ROWS[i]));
	}
}

static void a_suffix_goes_behind_the_path(void)
{
	static const char *const ROWS[][3] = {
		{ "https://h/key", "/start", "https://h/key/start" },
		{ "https://h/key/", "/3", "https://h/key/3" },
		{ "https://h/slug?create=1&x=/", "/fail", "https://h/slug/fail?create=1&x=/" },
		{ "https://h/key/?a", "", "https://h/key/?a" },
	};
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct notify_address a;
		struct ark_buf out;
		ark_buf_init(&out, 4096);
		CHECK(parse(ROWS[i][0], &a));
		notify_address_ping(&a, ROWS[i][1], &out);
		CHECK_STR(ark_buf_view(&out), ROWS[i][2]);
		notify_address_release(&a);
		ark_buf_release(&out);
	}
}

int main(void)
{
	TAP_RUN(the_kind_is_told_by_the_address);
	TAP_RUN(parts_are_decoded);
	TAP_RUN(what_is_no_address_is_refused_without_quoting_it);
	TAP_RUN(a_suffix_goes_behind_the_path);
	return tap_done();
}
