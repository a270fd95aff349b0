/*
 * stint-agent: what stint runs beside a GPU.
 *
 *   stint-agent hold     in a holder pod: names the one device of its container in one JSON line, then idles and so keeps the device
 *                        reserved. The scheduler reads the line through the pod's log; nothing here needs the network or any right.
 *
 * The line is {"uuid":"GPU-...","name":"...","memory_mib":N}, or {"error":{"cause":"Word","message":"sentence"}} with exit code 1.
 * name and memory_mib are left out where the driver does not know them. SIGTERM and SIGINT end the process at once, even while the driver
 * hangs: process 1 of a container has no default action for them.
 */
#include <agent/nvml.h>

#include <stint/text.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end_at_once(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static bool print_line(const struct stint_json *json)
{
	stint_autofree char *line = stint_json_print(json);
	return printf("%s\n", line) > 0 && fflush(stdout) == 0;
}

static int hold(void)
{
	struct sigaction action = {.sa_handler = end_at_once};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	struct stint_nvml_device device;
	stint_auto_error *err = NULL;
	stint_auto_json *json = stint_json_new_object();
	if (!stint_nvml_only_device(NULL, &device, &err)) {
		struct stint_json *error = stint_json_ensure_object(json, "error");
		stint_json_set_string(error, "cause", err->reason);
		stint_json_set_string(error, "message", err->message);
		print_line(json);
		return STINT_FAILED;
	}
	stint_json_set_string(json, "uuid", device.uuid);
	if (device.name[0])
		stint_json_set_string(json, "name", device.name);
	if (device.memory_mib >= 0)
		stint_json_set_int(json, "memory_mib", device.memory_mib);
	if (!print_line(json)) {
		fprintf(stderr, "stint-agent: standard output cannot be written: the scheduler will not learn of this device\n");
		return STINT_FAILED;
	}
	for (;;)
		pause();
}

static const char usage[] = "usage: stint-agent hold\n"
			    "       stint-agent --version | --help\n"
			    "\n"
			    "  hold   print the one visible GPU as a JSON line (uuid, name, memory_mib), then keep it until SIGTERM\n";

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "hold") == 0)
		return hold();
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("stint-agent %s\n", STINT_VERSION) > 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return fputs(usage, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	if (argc < 2)
		fprintf(stderr, "stint-agent: a command is missing: say hold, --version or --help\n");
	else
		fprintf(stderr, "stint-agent: \"%s\" is no command: say hold, --version or --help\n",
			strcmp(argv[1], "hold") == 0 ? argv[2] : argv[1]);
	return STINT_USAGE;
}
