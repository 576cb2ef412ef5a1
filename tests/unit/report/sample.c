/*
 * Write the report of a made-up run, for tests and eyes:
 *	report_sample small|big|hostile|check|nothing DIR
 */
#include "tests/unit/report/sample.h"

#include "common/base/banned.h"

static void write_lines(struct import_report_writer *w, const char *name)
{
	if (strcmp(name, "hostile") == 0) {
		for (uint32_t i = 0; i < SAMPLE_HOSTILE_COUNT; i++) {
			struct ark_str text = sample_hostile_name(i);
			import_report_skip(w, 0, text, UINT64_MAX, 7, CONV_NONE, 1690848000000100,
			                   SKIP_BAD_TS, "ts is ''");
			import_report_missing(w, text, text, text, 1690848000000100, ARK_LIT("gone"));
		}
		return;
	}
	if (strcmp(name, "big") != 0)
		return;
	for (uint32_t i = 0; i < 2; i++)
		import_report_skip(w, 0, ARK_LIT("general/2023-08-01.json"), 100 + i * 50, 50,
		                   CONV_NONE, 0, SKIP_DAMAGED_RANGE, NULL);
	for (uint32_t i = 0; i < 1200; i++)
		import_report_missing(w, ARK_LIT("F0KPNG001"), ARK_LIT("plan, final.png"),
		                      ARK_LIT("general"), 1690848000000000 + i,
		                      i % 3 == 0 ? ARK_LIT("hidden by Slack's plan limit")
		                                 : ARK_LIT("not in the archive"));
}

int main(int argc, char **argv)
{
	struct sample s;
	struct ark_err err = { 0 };
	if (argc != 3 || !sample_make(&s, argv[1])) {
		fprintf(stderr, "usage: report_sample small|big|hostile|check|nothing DIR\n");
		return 2;
	}
	ark_auto(import_report_closep) struct import_report_writer *w = NULL;
	enum ark_rc rc = import_report_open(argv[2], &w, &err);
	if (rc >= 0) {
		write_lines(w, argv[1]);
		rc = import_report_write(w, &s.r, &err);
	}
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	sample_release(&s);
	return rc < 0;
}
