/*
 * daemon: see daemon.h. One struct holds all that the background process owns; it lives on the stack of its main function.
 *
 * The parent learns through a pipe how the start went: "{}" when the cluster is ready, {"code", "message"} when it failed. The scheduler
 * dies with the daemon, however that ends (PR_SET_PDEATHSIG), and is started again with a growing pause when it dies on its own.
 */
#include "cli/sandbox/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/sandbox/state.h"

enum {
	POLL_MS = 5,
	READY_PATIENCE_MS = 60000,
	SCHEDULER_PATIENCE_MS = 10000, /* the cluster is of use without it, so a slow one does not fail the start */
	PAUSE_FIRST_MS = 500,
	PAUSE_MAX_MS = 30000,
	STOP_PATIENCE_MS = 10000,
	SCHEDULER_STOP_MS = 2000,
	WATCH_MS = 2000, /* how often the daemon looks after its folder, its log and what it tells about itself */
	MOST_LOG_BYTES = 8 * 1024 * 1024, /* of sandbox.log, and of sandbox.log.1 */
	MAX_REPORT = 16 * 1024,
};

struct daemon {
	const struct daemon_options *options;
	struct stint_loop *loop;
	struct stint_logger logger;
	int log_fd, report_fd;
	struct stint_sandbox *sandbox;
	struct stint_timer *readiness, *restart, *patience, *watch;
	bool ending, keep_log;
	int64_t started_ms; /* monotonic */
	size_t nodes_told; /* in the state file */
	char *scheduler_path;
	struct stint_child *scheduler;
	pid_t scheduler_pid; /* 0: not running */
	int scheduler_starts;
	int64_t scheduler_started_ms, pause_ms;
};

/* ---- the state file -------------------------------------------------------------------------------------------------------- */

static void write_state(struct daemon *daemon)
{
	char now[STINT_TIME_SIZE];
	stint_auto_error *err = NULL;
	stint_auto_json *state = stint_json_new_object();
	stint_autofree char *server = stint_format("https://127.0.0.1:%d", stint_sandbox_port(daemon->sandbox));
	stint_json_set_int(state, "pid", getpid());
	stint_json_set_string(state, "server", server);
	stint_json_set_string(state, "started", stint_time_format(stint_now_ms() - (stint_monotonic_ms() - daemon->started_ms), now));
	daemon->nodes_told = stint_sandbox_nodes(daemon->sandbox);
	stint_json_set_int(state, "nodes", (int64_t)daemon->nodes_told);
	struct stint_json *scheduler = stint_json_ensure_object(state, "scheduler");
	stint_json_set_bool(scheduler, "wanted", daemon->options->scheduler);
	stint_json_set_bool(scheduler, "running", daemon->scheduler_pid > 0);
	if (daemon->scheduler_pid > 0)
		stint_json_set_int(scheduler, "pid", daemon->scheduler_pid);
	stint_json_set_int(scheduler, "restarts", daemon->scheduler_starts > 0 ? daemon->scheduler_starts - 1 : 0);
	if (!state_write(daemon->options->folder, state, &err))
		stint_log(&daemon->logger, STINT_LOG_ERROR, "%s", err->message);
}

/* ---- the scheduler --------------------------------------------------------------------------------------------------------- */

static char *find_scheduler(struct stint_error **err)
{
	char own[4096];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (length <= 0)
		return stint_fail_errno(err, errno, "the folder of this program cannot be found"), NULL;
	own[length] = '\0';
	*strrchr(own, '/') = '\0';
	stint_autofree char *path = stint_format("%s/stint-scheduler", own);
	if (access(path, X_OK) != 0)
		return stint_fail_errno(err, errno, "%s cannot be run: install it beside stint, or start with --no-scheduler", path), NULL;
	return stint_steal(&path);
}

static void run_scheduler(const struct daemon *daemon, pid_t parent)
{
	stint_autofree char *kubeconfig = state_path(daemon->options->folder, "kubeconfig");
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0); /* the daemon died between the fork and the line above */
	execl(daemon->scheduler_path, "stint-scheduler", "--kubeconfig", kubeconfig, (char *)NULL);
	_exit(127);
}

static void on_scheduler_end(void *user, pid_t pid, int wait_status);

static void start_scheduler(void *user)
{
	struct daemon *daemon = user;
	stint_auto_error *err = NULL;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		run_scheduler(daemon, parent);
	if (pid < 0) {
		stint_log(&daemon->logger, STINT_LOG_ERROR, "stint-scheduler cannot be started: %s", strerror(errno));
		stint_timer_set(daemon->restart, daemon->pause_ms);
		return;
	}
	daemon->scheduler_pid = pid;
	daemon->scheduler_starts++;
	daemon->scheduler_started_ms = stint_monotonic_ms();
	daemon->scheduler = stint_child_watch(daemon->loop, pid, on_scheduler_end, daemon, &err);
	if (!daemon->scheduler)
		stint_log(&daemon->logger, STINT_LOG_ERROR, "stint-scheduler is not watched: %s", err->message);
	write_state(daemon);
}

static void on_scheduler_end(void *user, pid_t pid, int wait_status)
{
	struct daemon *daemon = user;
	daemon->scheduler = NULL;
	daemon->scheduler_pid = 0;
	if (daemon->ending) {
		stint_loop_stop(daemon->loop);
		return;
	}
	/* One that has run for a while has earned a quick start. */
	if (stint_monotonic_ms() - daemon->scheduler_started_ms > PAUSE_MAX_MS)
		daemon->pause_ms = PAUSE_FIRST_MS;
	if (WIFSIGNALED(wait_status))
		stint_log(&daemon->logger, STINT_LOG_WARN,
			"stint-scheduler (process %ld) was ended by signal %d; the next one starts in %lld ms", (long)pid,
			WTERMSIG(wait_status), (long long)daemon->pause_ms);
	else
		stint_log(&daemon->logger, STINT_LOG_WARN, "stint-scheduler (process %ld) ended with %d; the next one starts in %lld ms",
			(long)pid, WEXITSTATUS(wait_status), (long long)daemon->pause_ms);
	stint_timer_set(daemon->restart, daemon->pause_ms);
	daemon->pause_ms = daemon->pause_ms * 2 < PAUSE_MAX_MS ? daemon->pause_ms * 2 : PAUSE_MAX_MS;
	write_state(daemon);
}

static void on_patience_lost(void *user)
{
	const struct daemon *daemon = user;
	if (daemon->scheduler_pid > 0)
		kill(daemon->scheduler_pid, SIGKILL);
}

/* The scheduler is told first, so that it can give its Lease back while the API still answers. */
static void begin_ending(struct daemon *daemon)
{
	if (daemon->ending)
		return;
	daemon->ending = true;
	stint_timer_stop(daemon->restart);
	stint_timer_stop(daemon->readiness); /* nothing is started any more, and no parent told that all is well */
	stint_timer_stop(daemon->watch);
	if (daemon->scheduler_pid == 0) {
		stint_loop_stop(daemon->loop);
		return;
	}
	kill(daemon->scheduler_pid, SIGTERM);
	stint_timer_set(daemon->patience, SCHEDULER_STOP_MS);
}

/* ---- readiness ------------------------------------------------------------------------------------------------------------- */

/* False: the program that waited for the cluster is gone. */
static bool report(struct daemon *daemon, const struct stint_error *err)
{
	stint_auto_json *document = stint_json_new_object();
	if (err) {
		stint_json_set_int(document, "code", err->code);
		stint_json_set_string(document, "message", err->message);
	}
	stint_autofree char *text = stint_json_print(document);
	ssize_t written = write(daemon->report_fd, text, strlen(text));
	stint_close_fd(&daemon->report_fd);
	return written >= 0;
}

static void on_readiness(void *user)
{
	struct daemon *daemon = user;
	int64_t waited_ms = stint_monotonic_ms() - daemon->started_ms;
	bool nodes = stint_sandbox_nodes_ready(daemon->sandbox);
	if (nodes && daemon->options->scheduler && daemon->scheduler_starts == 0)
		start_scheduler(daemon);
	bool scheduler = !daemon->options->scheduler || stint_sandbox_scheduler_leads(daemon->sandbox);
	if (!scheduler && waited_ms > SCHEDULER_PATIENCE_MS) {
		stint_log(&daemon->logger, STINT_LOG_WARN, "stint-scheduler has not taken its Lease yet: going on without waiting for it");
		scheduler = true;
	}
	if (nodes && scheduler) {
		write_state(daemon);
		stint_log(&daemon->logger, STINT_LOG_INFO, "ready after %lld ms", (long long)waited_ms);
		if (!report(daemon, NULL)) {
			stint_log(&daemon->logger, STINT_LOG_WARN, "ending: whoever started this sandbox did not wait for it");
			begin_ending(daemon);
		}
		return;
	}
	if (waited_ms > READY_PATIENCE_MS) {
		stint_auto_error *err = NULL;
		stint_fail(&err, STINT_TIMEOUT, "the sandbox was not ready within %d s: see sandbox.log in its folder",
			READY_PATIENCE_MS / 1000);
		daemon->keep_log = true;
		report(daemon, err);
		begin_ending(daemon);
		return;
	}
	stint_timer_set(daemon->readiness, POLL_MS);
}

/* ---- the background process ------------------------------------------------------------------------------------------------ */

static void on_signal(void *user, int signal_number)
{
	struct daemon *daemon = user;
	stint_log(&daemon->logger, STINT_LOG_INFO, "ending on signal %d", signal_number);
	begin_ending(daemon);
}

/* Nobody could find a sandbox whose folder is gone, so it must not outlive that. */
static void on_watch(void *user)
{
	struct daemon *daemon = user;
	if (state_holds(daemon->options->folder, daemon->options->lock_fd)) {
		stint_timer_set(daemon->watch, WATCH_MS);
		state_trim_log(daemon->options->folder, daemon->log_fd, MOST_LOG_BYTES);
		if (daemon->sandbox && daemon->nodes_told != stint_sandbox_nodes(daemon->sandbox))
			write_state(daemon);
		return;
	}
	stint_log(&daemon->logger, STINT_LOG_WARN, "ending: somebody removed %s or its sandbox.pid", daemon->options->folder);
	begin_ending(daemon);
}

static bool prepare(struct daemon *daemon, struct stint_error **err)
{
	const struct daemon_options *options = daemon->options;
	daemon->loop = stint_loop_new(err);
	if (!daemon->loop || !state_write_pid(options->lock_fd, getpid(), err))
		return false;
	static const int endings[] = {SIGTERM, SIGINT, SIGHUP};
	for (size_t i = 0; i < STINT_COUNT(endings); i++) {
		if (!stint_signal_watch(daemon->loop, endings[i], on_signal, daemon, err))
			return false;
	}
	signal(SIGPIPE, SIG_IGN);
	cli_raise_file_limit();
	if (options->scheduler) {
		daemon->scheduler_path = find_scheduler(err);
		if (!daemon->scheduler_path)
			return false;
	}
	daemon->restart = stint_timer_new(daemon->loop, start_scheduler, daemon);
	daemon->readiness = stint_timer_new(daemon->loop, on_readiness, daemon);
	daemon->patience = stint_timer_new(daemon->loop, on_patience_lost, daemon);
	daemon->watch = stint_timer_new(daemon->loop, on_watch, daemon);
	stint_timer_set(daemon->watch, WATCH_MS);
	daemon->pause_ms = PAUSE_FIRST_MS;
	daemon->sandbox = stint_sandbox_start(daemon->loop, &options->cluster, &daemon->logger, err);
	return daemon->sandbox != NULL;
}

static void clean_up(struct daemon *daemon)
{
	stint_sandbox_stop(daemon->sandbox);
	stint_timer_free(daemon->restart);
	stint_timer_free(daemon->readiness);
	stint_timer_free(daemon->patience);
	stint_timer_free(daemon->watch);
	static const int endings[] = {SIGTERM, SIGINT, SIGHUP};
	for (size_t i = 0; daemon->loop && i < STINT_COUNT(endings); i++)
		stint_signal_watch(daemon->loop, endings[i], NULL, NULL, NULL);
	stint_loop_free(daemon->loop);
	free(daemon->scheduler_path);
	state_clear(daemon->options->folder, daemon->options->lock_fd, daemon->keep_log);
}

static int run_daemon(const struct daemon_options *options, int log_fd, int report_fd)
{
	stint_auto_error *err = NULL;
	struct daemon daemon = {.options = options, .log_fd = log_fd, .report_fd = report_fd, .started_ms = stint_monotonic_ms()};
	daemon.logger = (struct stint_logger){.write = stint_log_to_fd, .user = &daemon.log_fd, .level = STINT_LOG_INFO};
	bool started = prepare(&daemon, &err);
	if (started) {
		stint_timer_set(daemon.readiness, 0);
		stint_loop_run(daemon.loop);
	} else {
		stint_log(&daemon.logger, STINT_LOG_ERROR, "%s", err->message);
		report(&daemon, err);
	}
	clean_up(&daemon);
	return started ? 0 : 1;
}

/* From here on nothing of the caller's terminal or pipes is held. */
static void leave_terminal(const struct daemon_options *options, int log_fd, int report_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	/* Whatever else the program had open would keep its readers waiting. */
	int kept[3] = {log_fd, report_fd, options->lock_fd};
	for (int fd = 3, limit = (int)sysconf(_SC_OPEN_MAX); fd < limit && fd < 4096; fd++) {
		if (fd != kept[0] && fd != kept[1] && fd != kept[2])
			close(fd);
	}
	if (chdir("/") != 0)
		_exit(1);
	umask(077);
}

/* ---- the program that starts it, and the one that ends it ------------------------------------------------------------------------ */

static bool judge_report(const struct stint_buf *text, struct stint_error **err)
{
	stint_auto_json *document = text->length > 0 ? stint_json_parse(text->data, text->length, 0, NULL) : NULL;
	if (!document)
		return stint_fail(err, STINT_FAILED, "the sandbox ended while it started: see sandbox.log in its folder");
	int64_t code = stint_json_int_or(stint_json_get(document, "code"), 0);
	if (code == 0)
		return true;
	return stint_fail(err, (enum stint_code)code, "%s", stint_json_string_or(stint_json_get(document, "message"), "the start failed"));
}

/* Reads until the daemon closes its end, or until one of the signals of that descriptor arrives. */
static bool read_report(int fd, int signal_fd, struct stint_error **err)
{
	stint_auto_buf text = {0};
	char piece[4096];
	struct pollfd polled[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	while (text.length < MAX_REPORT) {
		if (poll(polled, STINT_COUNT(polled), -1) < 0)
			continue; /* EINTR */
		if (polled[0].revents)
			return stint_fail(err, STINT_INTERRUPTED, "interrupted while the sandbox started: it is taken down again");
		ssize_t got = read(fd, piece, sizeof(piece));
		if (got <= 0)
			break;
		stint_buf_add(&text, piece, (size_t)got);
	}
	return judge_report(&text, err);
}

/* Waits until the process of that pidfd has ended; kills it when that takes too long. */
static void await_end(int pid_fd)
{
	struct pollfd polled = {.fd = pid_fd, .events = POLLIN};
	int64_t limit_ms = stint_monotonic_ms() + STOP_PATIENCE_MS;
	for (;;) {
		int64_t left_ms = limit_ms - stint_monotonic_ms();
		if (poll(&polled, 1, left_ms > 0 ? (int)left_ms : 0) > 0)
			return;
		if (stint_monotonic_ms() < limit_ms)
			continue; /* EINTR */
		syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0);
		limit_ms = stint_monotonic_ms() + STOP_PATIENCE_MS;
	}
}

static bool await_start(const struct daemon_options *options, pid_t pid, int report_fd, int signal_fd, struct stint_error **err)
{
	stint_auto_error *failure = NULL;
	if (read_report(report_fd, signal_fd, &failure))
		return true;
	stint_autoclose int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (failure->code == STINT_INTERRUPTED)
		kill(pid, SIGTERM);
	if (pid_fd >= 0)
		await_end(pid_fd);
	waitpid(pid, NULL, 0);
	if (failure->code == STINT_INTERRUPTED)
		state_clear(options->folder, options->lock_fd, false); /* of one that had to be killed */
	return stint_error_move(err, &failure);
}

static bool start(const struct daemon_options *options, int signal_fd, struct stint_error **err)
{
	stint_autofree char *log_path = state_path(options->folder, "sandbox.log");
	stint_autoclose int log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log_fd < 0)
		return stint_fail_errno(err, errno, "%s cannot be opened", log_path);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return stint_fail_errno(err, errno, "no pipe to the sandbox");
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		leave_terminal(options, log_fd, ends[1]);
		_exit(run_daemon(options, log_fd, ends[1]));
	}
	int fork_errno = errno;
	close(ends[1]);
	bool ready = pid > 0 ? await_start(options, pid, ends[0], signal_fd, err)
			     : stint_fail_errno(err, fork_errno, "the sandbox cannot be started");
	close(ends[0]);
	if (pid < 0)
		state_clear(options->folder, options->lock_fd, false);
	return ready;
}

bool daemon_start(const struct daemon_options *options, struct stint_error **err)
{
	static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
	stint_auto_error *failure = NULL;
	sigset_t set, before;
	sigemptyset(&set);
	for (size_t i = 0; i < STINT_COUNT(endings); i++) {
		struct sigaction action;
		if (sigaction(endings[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) /* nohup means it */
			sigaddset(&set, endings[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &before);
	stint_autoclose int signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	bool started =
		signal_fd >= 0 ? start(options, signal_fd, &failure) : stint_fail_errno(&failure, errno, "signals cannot be watched");
	/* What has been obeyed must not also end this program before it says so. */
	struct signalfd_siginfo taken;
	while (failure && failure->code == STINT_INTERRUPTED && read(signal_fd, &taken, sizeof(taken)) > 0)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return started || stint_error_move(err, &failure);
}

bool daemon_stop(const char *folder, pid_t pid, struct stint_error **err)
{
	stint_autoclose int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid_fd >= 0 && state_running(folder) == pid) { /* so the descriptor is that of the daemon, whatever the number meant since */
		if (syscall(SYS_pidfd_send_signal, pid_fd, SIGTERM, NULL, 0) != 0 && errno != ESRCH)
			return stint_fail_errno(err, errno, "process %ld cannot be told to end", (long)pid);
		await_end(pid_fd);
	}
	state_clear_stale(folder); /* one that was killed has left its files */
	return true;
}
