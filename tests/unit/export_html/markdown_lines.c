/*
 * Texts from standard input, one a line with \n, \t and \\ escaped, as HTML on standard output, one a
 * line: for check_markdown.py. Knows the names that the oracle's server knew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/formats/markdown/html.h"

static bool user(void *ctx, struct ark_str name)
{
	(void)ctx;
	return ark_str_eqz(name, "bob") || ark_str_eqz(name, "carol");
}

static bool channel(void *ctx, struct ark_str name, struct ark_str *title, struct ark_str *href)
{
	static const char *const KNOWN[][2] = { { "general", "general" }, { "off-topic", "Off-Topic" },
		                                { "town-square", "Town Square" } };
	(void)ctx;
	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++) {
		if (ark_str_eqz(name, KNOWN[i][0])) {
			*title = ark_str_z(KNOWN[i][1]);
			*href = ARK_LIT("channel.html");
			return true;
		}
	}
	return false;
}

static bool emoji(void *ctx, struct ark_str name, struct ark_str *unicode)
{
	static const char *const UNKNOWN[] = { "nope_emoji", "simple_smile", "30" };
	(void)ctx;
	for (size_t i = 0; i < sizeof(UNKNOWN) / sizeof(UNKNOWN[0]); i++)
		if (ark_str_eqz(name, UNKNOWN[i]))
			return false;
	*unicode = ARK_LIT("*");
	return true;
}

int main(void)
{
	static char line[1u << 16];
	const struct html_names names = { user, channel, emoji, NULL };
	struct ark_buf text, html;
	ark_buf_init(&text, 1u << 20);
	ark_buf_init(&html, 1u << 24);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		ark_buf_reset(&text);
		ark_buf_reset(&html);
		for (const char *c = line; *c != '\0' && *c != '\n'; c++) {
			bool escaped = *c == '\\' && c[1] != '\0' && c[1] != '\n';
			c += escaped;
			ark_buf_c(&text, !escaped ? *c : *c == 'n' ? '\n' : *c == 't' ? '\t' : *c);
		}
		html_markdown(ark_buf_view(&text), &names, &html);
		for (size_t i = 0; i < html.len; i++) {
			if (html.data[i] == '\n')
				fputs("\\n", stdout);
			else if (html.data[i] == '\\')
				fputs("\\\\", stdout);
			else
				putchar(html.data[i]);
		}
		putchar('\n');
	}
	ark_buf_release(&text);
	ark_buf_release(&html);
	return ferror(stdin) || fflush(stdout) != 0;
}
