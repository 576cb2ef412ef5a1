/*
 * Tell about a made-up run through notify_begin and notify_end, for check_receivers.py:
 *	notify_sample EXIT_CODE [--metrics FILE] ADDRESS...
 *	notify_sample mqtt CA_FILE HOST PORT TOPIC USER PASSWORD		a message over TLS, to be kept
 * Prints how many milliseconds beginning and end took.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/time.h"
#include "common/cli/talk.h"
#include "common/net/mqtt.h"
#include "tests/unit/notify/sample.h"

#include "common/base/banned.h"

static int number(const char *text)
{
	uint64_t n = 0;
	return ark_str_u64(ark_str_z(text), &n) ? (int)n : 0;
}

static int tls(char **argv)
{
	struct ark_err err = { 0 };
	struct net_options opt = { .ca_file = argv[2], .total_ms = 5000 };
	struct net_mqtt m = { .tls = true, .host = argv[3], .port = number(argv[4]), .topic = argv[5],
		              .user = argv[6], .password = argv[7], .retain = true,
		              .payload = ARK_LIT("over TLS") };
	if (net_mqtt_publish(&opt, &m, &err) == ARK_OK)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

int main(int argc, char **argv)
{
	struct ark_common common = { 0 };
	struct ark_talk talk;
	struct notify_options opt = { 0 };
	struct ark_err err = { 0 };
	signal(SIGPIPE, SIG_IGN);
	if (argc == 8 && strcmp(argv[1], "mqtt") == 0)
		return tls(argv);
	if (argc < 3)
		return 2;
	struct notify_run run = sample_run((enum ark_exit)number(argv[1]));
	int first = 2;
	if (argc > 3 && strcmp(argv[2], "--metrics") == 0) {
		opt.metrics = argv[3];
		first = 4;
	}
	const char *urls[32];
	for (int i = first; i < argc && opt.urls.count < 32; i++)
		urls[opt.urls.count++] = argv[i];
	opt.urls.items = urls;
	ark_talk_init(&talk, "notify_sample", &common);
	if (notify_check(&opt, &err) < 0)
		return ark_finish(&talk, ark_fail(&talk, &err));
	int64_t before = ark_time_tick_ms();
	notify_begin(&opt, &run, &talk);
	int64_t between = ark_time_tick_ms();
	notify_end(&opt, &run, &talk);
	printf("%lld %lld\n", (long long)(between - before), (long long)(ark_time_tick_ms() - between));
	return ark_finish(&talk, ARK_EXIT_DONE);
}
