/*
 * The first line as the address of a --notify: refused without quoting it, or usable without a second look;
 * the rest as a metrics file that is there: what comes out stays as it is when it goes in again.
 */
#include "common/base/limits.h"
#include "common/notify/address.h"
#include "common/notify/metrics.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define SECRET "hunter2hunter2"

static bool plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\r' || *text == '\n' || *text == '<' || *text == '>')
			return false;
	}
	return true;
}

static void usable(const struct notify_address *a)
{
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_buf_init(&url, LIMIT_NOTIFY_URL + 64);
	FUZZ_CLAIM(a->shown.len > 0 && !a->shown.failed);
	if (a->kind == NOTIFY_PING) {
		notify_address_ping(a, "/start", &url);
		FUZZ_CLAIM(!url.failed && strstr(url.data, "/start") != NULL);
	}
	if (a->kind == NOTIFY_MQTT)
		FUZZ_CLAIM(a->topic.len > 0 && strlen(a->topic.data) == a->topic.len);
	if (a->kind == NOTIFY_MAIL) {
		FUZZ_CLAIM(a->to_count > 0 && a->to[a->to_count] == NULL && plain(a->from.data));
		for (size_t i = 0; i < a->to_count; i++)
			FUZZ_CLAIM(plain(a->to[i]));
	}
}

static void try_address(struct ark_str text)
{
	ark_auto(ark_freep) char *z = ark_strdup(text);
	struct ark_err err = { 0 };
	struct notify_address a = { 0 };
	bool has_secret = strstr(z, SECRET) != NULL;
	if (notify_address_parse(z, &a, &err) < 0) {
		FUZZ_CLAIM(err.kind == ARK_KIND_USAGE && strstr(err.text, SECRET) == NULL);
		return;
	}
	usable(&a);
	/* a host may be called anything; users, passwords, paths and queries are never shown */
	if (has_secret && a.kind != NOTIFY_EXEC && strstr(a.url.host, SECRET) == NULL)
		FUZZ_CLAIM(strstr(a.shown.data, SECRET) == NULL);
	notify_address_release(&a);
}

static void try_metrics(struct ark_str old)
{
	struct notify_run run = { .tool = "t", .version = "1", .command = "c", .code = ARK_EXIT_FAILED,
		                  .begin_ms = 1000 };
	struct notify_moment at = { true, 2000, "h" };
	ark_auto(ark_buf_release) struct ark_buf once, twice;
	ark_buf_init(&once, 4 * LIMIT_METRICS);
	ark_buf_init(&twice, 4 * LIMIT_METRICS);
	notify_metrics_render(old, &run, &at, &once);
	notify_metrics_render(ark_buf_view(&once), &run, &at, &twice);
	FUZZ_CLAIM(ark_str_eq(ark_buf_view(&once), ark_buf_view(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str all = ark_str_n((const char *)data, size);
	size_t end = ark_str_find(all, '\n', 0);
	try_address(ark_str_first(all, end));
	if (end != SIZE_MAX && size < (64u << 10))
		try_metrics(ark_str_from(all, end + 1));
	return 0;
}
