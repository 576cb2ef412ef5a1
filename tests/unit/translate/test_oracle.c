/*
 * The model of the web client against what the client was seen to show: every line of
 * fixtures/markdown-rendered.tsv. A model that fails here proves nothing elsewhere.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/harness/mm_markdown.h"
#include "tests/harness/tap.h"

static struct ark_buf text, want, have;

static void unescape(const char *from, size_t len, struct ark_buf *to)
{
	ark_buf_reset(to);
	for (size_t i = 0; i < len; i++) {
		char c = from[i];
		if (c == '\\' && i + 1 < len) {
			c = from[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		ark_buf_c(to, c);
	}
}

static void the_model_shows_what_the_client_shows(void)
{
	static const struct mm_options options = { .latex = true, .decorate = true };
	char path[1000], line[4000];
	const char *root = getenv("ARK_SOURCE_ROOT");
	snprintf(path, sizeof(path), "%s/fixtures/markdown-rendered.tsv", root ? root : ".");
	FILE *f = fopen(path, "r");
	CHECK(f != NULL);
	int n = 0;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *tab = strchr(line, '\t');
		line[strcspn(line, "\n")] = '\0';
		n++;
		CHECK(tab != NULL);
		if (tab == NULL || n == 1)
			continue;
		unescape(line, (size_t)(tab - line), &text);
		unescape(tab + 1, strlen(tab + 1), &want);
		ark_buf_reset(&have);
		mm_render(&options, ark_buf_view(&text), &have);
		if (!ark_str_eq(ark_buf_view(&have), ark_buf_view(&want)))
			printf("# line %d: '%s'\n", n, line);
		CHECK_STR(ark_buf_view(&have), want.data);
	}
	if (f != NULL)
		fclose(f);
	CHECK_I64(n, 408);
}

int main(void)
{
	ark_buf_init(&text, 100000);
	ark_buf_init(&want, 100000);
	ark_buf_init(&have, 100000);
	TAP_RUN(the_model_shows_what_the_client_shows);
	ark_buf_release(&text);
	ark_buf_release(&want);
	ark_buf_release(&have);
	return tap_done();
}
