/*
 * What runs in a virtual container: commands, the language of sh, terminals, and that nothing gets out of hand.
 */
#include "core/sandbox/nodes/shell.h"

#include "tests/unit/test.h"

struct outcome {
	struct stint_buf out, error;
	enum shell_state state;
	int code;
	int64_t wake_ms;
};

static void outcome_free(struct outcome *outcome)
{
	stint_buf_free(&outcome->out);
	stint_buf_free(&outcome->error);
}

static struct shell *make(char *const *argv, bool has_stdin, bool tty)
{
	stint_auto_json *env = stint_json_new_object();
	stint_json_set_string(env, "HOME", "/root");
	stint_json_set_string(env, "GPUS", "GPU-a,GPU-b");
	const struct shell_options options = {.argv = argv, .env = env, .has_stdin = has_stdin, .tty = tty};
	return shell_new(&options);
}

static struct outcome run(struct shell *shell, int64_t now_ms)
{
	struct outcome outcome = {0};
	do
		outcome.state = shell_run(shell, now_ms, &outcome.out, &outcome.error, &outcome.wake_ms);
	while (outcome.state == SHELL_BUSY);
	outcome.code = shell_exit_code(shell);
	stint_buf_puts(&outcome.out, "");
	stint_buf_puts(&outcome.error, "");
	return outcome;
}

static const char *text(const struct stint_buf *buf)
{
	return buf->data ? buf->data : "";
}

static void scripts_do_what_sh_does(void **state)
{
	(void)state;
	static const struct {
		const char *script, *out, *error;
		int code;
	} cases[] = {
		{"echo hello world", "hello world\n", "", 0},
		{"echo -n a; echo b", "ab\n", "", 0},
		{"echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n", "", 0},
		{"echo $GPUS ${GPUS} $NONE. \"$HOME\" '$HOME' \\$HOME", "GPU-a,GPU-b GPU-a,GPU-b . /root $HOME $HOME\n", "", 0},
		{"false; echo $?", "1\n", "", 0},
		{"true && echo yes || echo no", "yes\n", "", 0},
		{"false && echo yes || echo no", "no\n", "", 0},
		{"exit 3; echo never", "", "", 3},
		{"exit 259", "", "", 3},
		{"false; exit", "", "", 1},
		{"sh -c 'exit 4'; echo $?", "4\n", "", 0},
		{"sh -c \"sh -c 'echo deep; exit 5'\"", "deep\n", "", 5},
		{"echo out; echo err >&2", "out\n", "err\n", 0},
		{"echo quiet >/dev/null; echo loud", "loud\n", "", 0},
		{"wonder 2>/dev/null || echo $?", "127\n", "", 0},
		{"cat /etc/passwd 2>/dev/null; echo $?", "1\n", "", 0},
		{"# nothing\necho a # rest\n\necho b", "a\nb\n", "", 0},
		{"/bin/echo a; /usr/bin/env >/dev/null", "a\n", "", 0},
		{"true &&\necho on", "on\n", "", 0},
		{"", "", "", 0},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		char *script = stint_strdup(cases[i].script);
		char sh[] = "sh", flag[] = "-c";
		char *argv[] = {sh, flag, script, NULL};
		struct shell *shell = make(argv, false, false);
		struct outcome outcome = run(shell, 0);
		if (outcome.state != SHELL_ENDED || strcmp(text(&outcome.out), cases[i].out) != 0 ||
			strcmp(text(&outcome.error), cases[i].error) != 0 || outcome.code != cases[i].code)
			fail_msg("%s: out \"%s\", error \"%s\", code %d", cases[i].script, text(&outcome.out), text(&outcome.error),
				outcome.code);
		outcome_free(&outcome);
		shell_free(shell);
		free(script);
	}
}

static void what_is_not_in_the_language_is_refused_with_2(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"echo 'a", "echo a | cat", "echo a &", "(echo a)", "echo `id`", "&& echo", "echo a &&", "echo a > file"};
	for (size_t i = 0; i < STINT_COUNT(scripts); i++) {
		char *script = stint_strdup(scripts[i]);
		char sh[] = "sh", flag[] = "-c";
		char *argv[] = {sh, flag, script, NULL};
		struct shell *shell = make(argv, false, false);
		struct outcome outcome = run(shell, 0);
		assert_int_equal(outcome.state, SHELL_ENDED);
		assert_int_equal(outcome.code, 2);
		assert_string_equal(text(&outcome.out), "");
		assert_true(outcome.error.length > 0);
		outcome_free(&outcome);
		shell_free(shell);
		free(script);
	}
}

static void an_unknown_command_ends_with_127(void **state)
{
	(void)state;
	char command[] = "nvidia-smi";
	char *argv[] = {command, NULL};
	struct shell *shell = make(argv, false, false);
	struct outcome outcome = run(shell, 0);
	assert_int_equal(outcome.code, 127);
	assert_non_null(strstr(text(&outcome.error), "nvidia-smi"));
	outcome_free(&outcome);
	shell_free(shell);
}

static void cat_copies_until_the_end_of_its_input(void **state)
{
	(void)state;
	char command[] = "cat";
	char *argv[] = {command, NULL};
	struct shell *shell = make(argv, true, false);
	shell_input(shell, "a\0b", 3);
	struct outcome outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_READS);
	assert_memory_equal(outcome.out.data, "a\0b", 3);
	outcome_free(&outcome);
	shell_input_end(shell);
	outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_ENDED);
	assert_int_equal(outcome.code, 0);
	outcome_free(&outcome);
	shell_free(shell);
}

static void sleep_takes_its_time(void **state)
{
	(void)state;
	char sh[] = "sh", flag[] = "-c", script[] = "sleep 1.5; echo done";
	char *argv[] = {sh, flag, script, NULL};
	struct shell *shell = make(argv, false, false);
	struct outcome outcome = run(shell, 1000);
	assert_int_equal(outcome.state, SHELL_SLEEPS);
	assert_int_equal(outcome.wake_ms, 2500);
	outcome_free(&outcome);
	outcome = run(shell, 2499);
	assert_int_equal(outcome.state, SHELL_SLEEPS);
	outcome_free(&outcome);
	outcome = run(shell, 2500);
	assert_int_equal(outcome.state, SHELL_ENDED);
	assert_string_equal(text(&outcome.out), "done\n");
	outcome_free(&outcome);
	shell_free(shell);
}

static void an_interactive_shell_prompts_echoes_and_goes_on(void **state)
{
	(void)state;
	char sh[] = "sh";
	char *argv[] = {sh, NULL};
	struct shell *shell = make(argv, true, true);
	struct outcome outcome = run(shell, 0);
	assert_string_equal(text(&outcome.out), "$ ");
	outcome_free(&outcome);
	shell_input(shell, "echo hx\177i\r", 10);
	outcome = run(shell, 0);
	assert_string_equal(text(&outcome.out), "echo hx\b \bi\r\nhi\r\n$ ");
	outcome_free(&outcome);
	shell_input(shell, "sleep 100\r", 10);
	outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_SLEEPS);
	outcome_free(&outcome);
	shell_input(shell, "\003", 1);
	outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_READS);
	outcome_free(&outcome);
	shell_input(shell, "exit 7\r", 7);
	outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_ENDED);
	assert_int_equal(outcome.code, 7);
	outcome_free(&outcome);
	shell_free(shell);
}

static void an_interrupt_ends_a_command_with_130(void **state)
{
	(void)state;
	char command[] = "cat";
	char *argv[] = {command, NULL};
	struct shell *shell = make(argv, true, true);
	struct outcome outcome = run(shell, 0);
	outcome_free(&outcome);
	shell_input(shell, "\003", 1);
	outcome = run(shell, 0);
	assert_int_equal(outcome.state, SHELL_ENDED);
	assert_int_equal(outcome.code, 130);
	outcome_free(&outcome);
	shell_free(shell);
}

static void neither_depth_nor_length_gets_out_of_hand(void **state)
{
	(void)state;
	stint_auto_buf script = {0};
	for (int i = 0; i < 40000; i++)
		stint_buf_puts(&script, "true;");
	char sh[] = "sh", flag[] = "-c";
	char *argv[] = {sh, flag, script.data, NULL};
	struct shell *shell = make(argv, false, false);
	struct outcome outcome = run(shell, 0);
	assert_int_equal(outcome.code, 2);
	outcome_free(&outcome);
	shell_free(shell);

	/* A turn is bounded: a long script gives the loop back in between. */
	script.length = 5 * 10000;
	script.data[script.length] = '\0';
	shell = make(argv, false, false);
	stint_auto_buf out = {0}, error = {0};
	int64_t wake_ms = 0;
	assert_int_equal(shell_run(shell, 0, &out, &error, &wake_ms), SHELL_BUSY);
	shell_free(shell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_do_what_sh_does),
		cmocka_unit_test(what_is_not_in_the_language_is_refused_with_2),
		cmocka_unit_test(an_unknown_command_ends_with_127),
		cmocka_unit_test(cat_copies_until_the_end_of_its_input),
		cmocka_unit_test(sleep_takes_its_time),
		cmocka_unit_test(an_interactive_shell_prompts_echoes_and_goes_on),
		cmocka_unit_test(an_interrupt_ends_a_command_with_130),
		cmocka_unit_test(neither_depth_nor_length_gets_out_of_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
