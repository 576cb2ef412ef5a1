/*
 * How fast mrkdwn becomes Markdown: translates the lines of a file over and over and prints MB/s.
 * With --literal the lines are literal text, as most of rich_text is.
 *
 *	bench_text [--literal] FILE      one text a line; "\n" in it stands for a line end
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "import/translate/text.h"

#include "common/base/banned.h"

#define RUN_US 1500000

static bool name_of(void *ctx, struct ark_str id, struct ark_str *out)
{
	(void)ctx;
	(void)id;
	*out = ARK_LIT("some.name");
	return true;
}

static bool no_emoji(void *ctx, struct ark_str name, struct ark_str *out)
{
	(void)ctx;
	(void)name;
	(void)out;
	return false;
}

static const struct text_world WORLD = {
	.user = name_of, .channel = name_of, .group = name_of, .emoji = no_emoji
};

/* Lines into `texts`, "\n" decoded; the texts borrow from `all`. */
static size_t read_texts(FILE *f, struct ark_buf *all, struct ark_str **texts)
{
	char line[65536];
	size_t n = 0, cap = 0, *starts = NULL;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (n == cap) {
			cap = cap ? 2 * cap : 1024;
			starts = ark_realloc(starts, cap + 1, sizeof(*starts));
		}
		starts[n++] = all->len;
		for (size_t i = 0; line[i] != '\0' && line[i] != '\n'; i++) {
			bool escape = line[i] == '\\' && line[i + 1] == 'n';
			ark_buf_c(all, escape ? '\n' : line[i]);
			i += escape;
		}
	}
	*texts = ark_calloc(n + 1, sizeof(**texts));
	for (size_t i = 0; i < n; i++)
		(*texts)[i] = ark_str_n(all->data + starts[i],
					(i + 1 < n ? starts[i + 1] : all->len) - starts[i]);
	ark_freep(&starts);
	return n;
}

/* Of this process: other work on the machine does not count. */
static int64_t cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double megabytes_per_second(const struct ark_str *texts, size_t n, bool literal)
{
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, 64u << 20);
	int64_t start = cpu_us(), us = 0;
	uint64_t bytes = 0;
	while (us < RUN_US) {
		for (size_t i = 0; i < n; i++) {
			ark_buf_reset(&out);
			if (literal)
				text_literal(texts[i], &out);
			else
				text_translate(&WORLD, texts[i], 0, &out);
			bytes += texts[i].len;
		}
		us = cpu_us() - start;
	}
	return (double)bytes / (double)us;
}

int main(int argc, char **argv)
{
	bool literal = argc > 2 && strcmp(argv[1], "--literal") == 0;
	FILE *f = argc > 1 ? fopen(argv[argc - 1], "r") : NULL;
	if (f == NULL) {
		fprintf(stderr, "usage: bench_text [--literal] FILE\n");
		return 2;
	}
	ark_auto(ark_buf_release) struct ark_buf all;
	ark_auto(ark_freep) struct ark_str *texts = NULL;
	ark_buf_init(&all, 1u << 30);
	size_t n = read_texts(f, &all, &texts);
	fclose(f);
	if (all.len == 0) {
		fprintf(stderr, "bench_text: nothing to translate in '%s'\n", argv[argc - 1]);
		return 1;
	}
	printf("%zu texts, %zu bytes: %.0f MB/s\n", n, all.len,
	       megabytes_per_second(texts, n, literal));
	return 0;
}
