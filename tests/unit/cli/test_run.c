/* The program as a whole, without a cluster: the table of commands, exit codes, what goes to which stream, settings, completion. */
#include "tests/unit/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parse.h"

static char folder[] = "/tmp/stint-cli-test-XXXXXX";

struct result {
	int code;
	char *out, *notes;
};

static struct result run_words(char **words, int count)
{
	struct result result = {0};
	size_t out_size, notes_size;
	FILE *out = open_memstream(&result.out, &out_size), *notes = open_memstream(&result.notes, &notes_size);
	result.code = cli_main(count, words, out, notes);
	fclose(out);
	fclose(notes);
	return result;
}

/* Cuts the line at blanks; '' is the empty word. */
static struct result run(const char *line)
{
	stint_autofree char *text = stint_format("stint %s", line);
	char **words = stint_split(text, " ");
	int count = 0;
	for (; words[count]; count++)
		if (strcmp(words[count], "''") == 0)
			words[count][0] = '\0';
	struct result result = run_words(words, count);
	stint_strings_free(words);
	return result;
}

static void result_free(struct result *result)
{
	free(result->out);
	free(result->notes);
}

/* ---- the table --------------------------------------------------------------------------------------------------------------------- */

static void check_flag(const char *path, const struct cli_command *command, const struct cli_flag *flag)
{
	struct cli_values values = {0};
	struct stint_error *err = NULL;
	if (!flag->help || !*flag->help || flag->help[strlen(flag->help) - 1] == '.')
		fail_msg("%s --%s: help is missing or ends with a full stop", path, flag->name);
	if ((flag->type == CLI_CHOICE) != (flag->choices != NULL))
		fail_msg("%s --%s: choices and type do not agree", path, flag->name);
	if (flag->otherwise && !cli_values_add(&values, flag, flag->otherwise, &err))
		fail_msg("%s --%s: the default is refused: %s", path, flag->name, err->message);
	free(values.items);
	size_t same_name = 0, same_letter = 0;
	const struct cli_flag *other;
	for (size_t index = 0; (other = cli_flag_at(command, index)); index++) {
		same_name += strcmp(other->name, flag->name) == 0;
		same_letter += flag->letter && other->letter == flag->letter;
	}
	if (same_name != 1 || same_letter > 1)
		fail_msg("%s --%s: its name or letter is taken twice", path, flag->name);
}

/* Every example is a command line that the parser takes (those that need a shell are left out). */
static void check_examples(const char *path, const struct cli_command *command)
{
	char **lines = stint_split(command->examples ? command->examples : "", "\n");
	for (size_t at = 0; lines[at]; at++) {
		if (!stint_starts_with(lines[at], "stint ") || strpbrk(lines[at], "|&<>'\"$"))
			continue;
		char **words = stint_split(lines[at], " ");
		struct cli_parsed parsed;
		struct stint_error *err = NULL;
		int count = 0;
		while (words[count])
			count++;
		if (!cli_parse(cli_commands(), count - 1, words + 1, &parsed, &err))
			fail_msg("%s: example \"%s\": %s", path, lines[at], err->message);
		cli_parsed_free(&parsed);
		stint_strings_free(words);
	}
	stint_strings_free(lines);
}

static void check_command(const struct cli_command *parent, const struct cli_command *command)
{
	stint_autofree char *path = cli_command_path(parent, command);
	const struct cli_flag *flag;
	if (!command->summary || !*command->summary || command->summary[strlen(command->summary) - 1] == '.')
		fail_msg("%s: the summary is missing or ends with a full stop", path);
	if (!command->run && !command->children)
		fail_msg("%s does nothing", path);
	if (((command->sets & CLI_SET_LIST) != 0) != (command->list != NULL))
		fail_msg("%s: nobody knows what --sort-by may name", path);
	if ((command->rest == CLI_REST_COMMAND) != (command->rest_help != NULL))
		fail_msg("%s: rest and rest_help do not agree", path);
	for (size_t index = 0; (flag = cli_flag_at(command, index)); index++)
		check_flag(path, command, flag);
	bool optional = false;
	for (const struct cli_positional *at = command->positionals; at && at->name; at++) {
		if (at->repeated && at[1].name)
			fail_msg("%s: %s is repeated and not the last", path, at->name);
		if (optional && !at->optional)
			fail_msg("%s: %s follows an optional one and is none", path, at->name);
		optional = at->optional;
	}
	check_examples(path, command);
	for (size_t at = 0; command->children && command->children[at]; at++)
		check_command(command, command->children[at]);
}

static void every_row_of_the_table_is_fit_to_be_shown(void **state)
{
	(void)state;
	const struct cli_command *const *commands = cli_commands();
	for (size_t at = 0; commands[at]; at++) {
		check_command(NULL, commands[at]);
		for (size_t other = 0; other < at; other++)
			if (cli_command_find(commands + other, commands[at]->name) != commands[at])
				fail_msg("%s is the name of two commands", commands[at]->name);
	}
}

/* ---- exit codes and streams --------------------------------------------------------------------------------------------------------- */

static void what_was_asked_for_goes_out_and_everything_else_does_not(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int code;
		const char *out, *notes; /* words that must be there; NULL: the stream is empty */
	} cases[] = {
		{"", 0, "Usage: stint COMMAND", NULL},
		{"--help", 0, "Usage: stint COMMAND", NULL},
		{"help", 0, "Usage: stint COMMAND", NULL},
		{"--version", 0, "stint ", NULL},
		{"version --client", 0, "stint ", NULL},
		{"version --client -o json", 0, "\"version\"", NULL},
		{"version --client -o jsonpath={.client.version}", 0, STINT_VERSION, NULL},
		{"version --client -o yaml", 0, "client:", NULL},
		{"submit --help", 0, "--gpus N", NULL},
		{"project --help", 0, "create", NULL},
		{"project create -h", 0, "--department NAME", NULL},
		{"help project create", 0, "--department NAME", NULL},
		{"help --man submit", 0, ".TH STINT-SUBMIT 1", NULL},
		{"help --reference", 0, "## stint submit", NULL},
		{"completion bash", 0, "complete -F _stint stint", NULL},
		{"submit x -i y --dry-run=client -p lab", 0, "kind: Job", NULL},
		{"submit x -i y --dry-run=client -p lab -o json", 0, "\"kind\": \"Job\"", NULL},
		{"submit x -i y --dry-run=client -p lab -o name", 0, "job.batch/x", NULL},
		{"submit inference x -i y --dry-run=client -p lab -o name", 0, "deployment.apps/x\nservice/x", NULL},
		{"submit train -i y --dry-run=client -p lab -o name", 0, "job.batch/train", NULL},
		{"frobnicate", 2, NULL, "frobnicate"},
		{"project", 2, NULL, "needs one of its commands: list, describe, create, update, delete"},
		{"help frobnicate", 2, NULL, "frobnicate"},
		{"version --client -o wide", 2, NULL, "has no output format \"wide\""},
		{"version --client -o jsonpath", 2, NULL, "needs a template"},
		{"version --client -o jsonpath={.a", 2, NULL, "is wrong at character"},
		{"delete x -o json", 2, NULL, "has no -o"},
		{"completion tcsh", 2, NULL, "bash|zsh|fish"},
		{"submit", 2, NULL, "needs NAME"},
		{"submit ray x -i y", 2, NULL, "\"ray\" is no type of workload"},
		{"submit x -i y -g 1.5 --dry-run=client", 2, NULL, "1.5"},
		{"submit x -i y -p A_B --dry-run=client", 2, NULL, "A_B"},
		{"submit x -i y -p a -n b --dry-run=client", 2, NULL, "two projects"},
		{"submit x -i y -A --dry-run=client", 2, NULL, "one project"},
		{"submit x -i y --timeout 5s", 2, NULL, "--wait"},
		{"submit x -i y --wait --dry-run=client", 2, NULL, "exclude each other"},
		{"submit -f x.yaml -g 1", 2, NULL, "cannot stand together"},
		{"submit -f /nonexistent.yaml", 3, NULL, "/nonexistent.yaml"},
		{"delete x", 8, NULL, "no cluster is configured"},
		{"--kubeconfig /nonexistent delete x -y", 3, NULL, "/nonexistent"},
		{"config get project", 3, NULL, "is not set"},
		{"config get colour", 2, NULL, "there is no setting"},
		{"config set projct x", 2, NULL, "did you mean project?"},
		{"config set project UPPER", 2, NULL, "UPPER"},
		{"config set project", 2, NULL, "give project a value"},
		{"config set scheduler-url ftp://x", 2, NULL, "https://"},
		{"config set scheduler-url http://localhost.example.com", 2, NULL, "https://"},
		{"config set scheduler-names a_b", 2, NULL, "a_b"},
		{"config set scheduler-names kai.example.com,stint-scheduler --unset", 2, NULL, "give scheduler-names a value"},
		{"why x -p y --scheduler-url http://127.0.0.1:1", 2, NULL, "https://"},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		struct result result = run(cases[at].line);
		const bool out_fine = cases[at].out ? strstr(result.out, cases[at].out) != NULL : !*result.out;
		const bool notes_fine = cases[at].notes ? strstr(result.notes, cases[at].notes) != NULL : !*result.notes;
		if (result.code != cases[at].code || !out_fine || !notes_fine)
			fail_msg("\"stint %s\": code %d\n%s\n%s", cases[at].line, result.code, result.out, result.notes);
		if (cases[at].code && strchr(result.notes, '\n') != result.notes + strlen(result.notes) - 1)
			fail_msg("\"stint %s\" says more than one line: %s", cases[at].line, result.notes);
		result_free(&result);
	}
}

static void foreign_bytes_in_a_message_are_harmless(void **state)
{
	(void)state;
	char program[] = "stint", word[] = "a\033[2Jb\nc";
	char *words[] = {program, word, NULL};
	struct result result = run_words(words, 2);
	assert_int_equal(result.code, 2);
	assert_null(strchr(result.notes, '\033'));
	assert_ptr_equal(strchr(result.notes, '\n'), result.notes + strlen(result.notes) - 1);
	result_free(&result);
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------------- */

static void settings_are_kept_and_forgotten(void **state)
{
	(void)state;
	struct result result = run("config set project vision");
	assert_int_equal(result.code, 0);
	result_free(&result);
	result = run("config set scheduler-names a,b");
	result_free(&result);
	result = run("config get project");
	assert_string_equal(result.out, "vision\n");
	result_free(&result);
	result = run("config list -o csv");
	assert_non_null(strstr(result.out, "scheduler-names,\"a,b\","));
	result_free(&result);
	/* A link to a file that is kept elsewhere stays one. */
	stint_autofree char *path = stint_format("%s/stint/config.yaml", folder), *kept = stint_format("%s/kept.yaml", folder);
	struct stat info;
	assert_int_equal(rename(path, kept), 0);
	assert_int_equal(symlink(kept, path), 0);
	result = run("config set project vision");
	assert_int_equal(result.code, 0);
	result_free(&result);
	assert_int_equal(lstat(path, &info), 0);
	assert_true(S_ISLNK(info.st_mode));
	assert_int_equal(rename(kept, path), 0);
	/* The project of commands that name none; the environment and the flag win over it. */
	result = run("submit x -i y --dry-run=client");
	assert_non_null(strstr(result.out, "namespace: vision"));
	assert_non_null(strstr(result.out, "schedulerName: a\n"));
	result_free(&result);
	setenv("STINT_PROJECT", "speech", 1);
	result = run("submit x -i y --dry-run=client");
	assert_non_null(strstr(result.out, "namespace: speech"));
	result_free(&result);
	result = run("submit x -i y --dry-run=client -n lab");
	assert_non_null(strstr(result.out, "namespace: lab"));
	result_free(&result);
	unsetenv("STINT_PROJECT");
	result = run("config set project --unset");
	result_free(&result);
	result = run("config get project");
	assert_int_equal(result.code, 3);
	result_free(&result);
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_broken_settings_file_is_told_and_left_alone(void **state)
{
	(void)state;
	stint_autofree char *path = stint_format("%s/stint/config.yaml", folder);
	assert_works(stint_file_write(path, "a: [", 4, 0600, &err));
	struct result result = run("config set project x");
	assert_int_equal(result.code, 2);
	assert_non_null(strstr(result.notes, "config.yaml"));
	result_free(&result);
	/* Other commands go on without it. */
	result = run("submit x -i y --dry-run=client");
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, "namespace: default"));
	assert_non_null(strstr(result.notes, "config.yaml"));
	result_free(&result);
	stint_auto_buf text = {0};
	assert_works(stint_buf_read_file(&text, path, 100, &err));
	assert_string_equal(text.data, "a: [");
	unlink(path);
}

/* ---- completion -------------------------------------------------------------------------------------------------------------------- */

static void completion_offers_what_the_table_has(void **state)
{
	(void)state;
	static const struct {
		const char *words, *offers;
	} cases[] = {
		{"subm", "submit\tSubmit a training, a workspace or an inference service\n"},
		{"project cre", "create\tCreate a project: a Queue, a namespace and the rights of its people\n"},
		{"-p x project cre", "create\tCreate a project: a Queue, a namespace and the rights of its people\n"},
		{"submit --gpu-", "--gpu-memory\tmemory of one GPU in place of -g, as 10Gi; at most what stint top gpus shows\n"},
		{"submit --image-pull-policy Al", "Always\n"},
		{"submit --image-pull-policy = Al", "Always\n"},
		{"submit --image-pull-policy=N", "--image-pull-policy=Never\n"},
		{"submit -f ''", ":files\n"},
		{"submit -i ''", ""},
		{"submit wor", "workspace\n"},
		{"list --status su", "suspended\nsucceeded\n"},
		{"list --sort-by gpus", "gpus_requested\ngpus_allocated\n"},
		{"list --sort-by -gpus", "-gpus_requested\n-gpus_allocated\n"},
		{"list --sort-by=-prio", "--sort-by=-priority_class\n"},
		{"project list --sort-by gpu", "gpu_quota\ngpu_limit\n"},
		{"department list --sort-by proj", "projects\n"},
		{"top --sort-by z", ""},
		{"submit x -i y -o ya", "yaml\n"},
		{"completion b", "bash\n"},
		{"completion bash ''", ""},
		{"config get run",
			"runtime-class\tthe runtime class of pods with GPUs that submit makes; default: nvidia, where the cluster has "
			"it\n"},
		{"help vers", "version\tPrint the versions of stint and of the cluster\n"},
		{"submit x -- -", ""},
		{"delete ''", ""}, /* no cluster: no names, and no complaint */
		{"frobnicate ''", ""},
	};
	for (size_t at = 0; at < STINT_COUNT(cases); at++) {
		stint_autofree char *line = stint_format("__complete -- %s", cases[at].words);
		struct result result = run(line);
		if (result.code != 0 || *result.notes || strcmp(result.out, cases[at].offers) != 0)
			fail_msg("%s: %s%s", cases[at].words, result.out, result.notes);
		result_free(&result);
	}
}

/* No kubeconfig, no sandbox, settings of our own. */
static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	setenv("HOME", folder, 1);
	setenv("XDG_CONFIG_HOME", folder, 1);
	setenv("XDG_STATE_HOME", folder, 1);
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("STINT_PROJECT");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stint_autofree char *path = stint_format("%s/stint", folder);
	rmdir(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_is_fit_to_be_shown),
		cmocka_unit_test(what_was_asked_for_goes_out_and_everything_else_does_not),
		cmocka_unit_test(foreign_bytes_in_a_message_are_harmless),
		cmocka_unit_test(settings_are_kept_and_forgotten),
		cmocka_unit_test(a_broken_settings_file_is_told_and_left_alone),
		cmocka_unit_test(completion_offers_what_the_table_has),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
