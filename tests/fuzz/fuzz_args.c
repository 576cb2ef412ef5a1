/*
 * Any bytes as a command line, an environment variable and a configuration file (parts are separated by
 * NUL; a part that begins with '=' is an environment variable, with '#' the file): refused with a reason,
 * or numbers are in their range and what was given is known.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cli/args.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/cli/example.h"

#include "common/base/banned.h"

#define PARTS_MAX 40

static void check_config(const struct example *config, const struct ark_args *args)
{
	FUZZ_CLAIM(config->jobs >= 1 && config->jobs <= 64);
	FUZZ_CLAIM(config->bots == BOTS_KEEP || config->bots == BOTS_SKIP);
	FUZZ_CLAIM(args->command != NULL);
	FUZZ_CLAIM(args->common.show_config || (args->operands.count >= args->command->operands_min &&
	                                        args->operands.count <= args->command->operands_max));
	for (size_t i = 0; i < config->channels.count; i++)
		FUZZ_CLAIM(config->channels.items[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = fuzz_padded(data, size);
	char name[] = "matter-example";
	char *argv[PARTS_MAX + 2] = { name };
	char *env[PARTS_MAX + 1] = { 0 };
	char file[64];
	int argc = 1, envc = 0;
	int fd = memfd_create("config", MFD_CLOEXEC);
	FUZZ_CLAIM(fd >= 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	for (size_t at = 0; at < size && argc <= PARTS_MAX && envc < PARTS_MAX;) {
		char *part = copy + at;
		size_t len = strlen(part);
		/* files named on the command line would be read: only ours */
		if (strstr(part, "conf") != NULL)
			part[0] = '-';
		if (part[0] == '=')
			env[envc++] = part + 1;
		else if (part[0] == '#')
			FUZZ_CLAIM(write(fd, part + 1, len - 1) == (ssize_t)len - 1);
		else
			argv[argc++] = part;
		at += len + 1;
	}
	struct ark_places places = { .environ = env, .system_file = file };
	struct example config;
	struct ark_args args;
	struct ark_err err = { 0 };
	enum ark_rc rc = ark_args_read(&EXAMPLE, argc, argv, &places, &config, &args, &err);
	if (rc == ARK_OK)
		check_config(&config, &args);
	else if (rc != ARK_END)
		FUZZ_CLAIM(err.kind == ARK_KIND_USAGE && err.text[0] != '\0');
	ark_args_release(&args);
	close(fd);
	free(copy);
	return 0;
}
