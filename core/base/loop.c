/*
 * The event loop: epoll for descriptors, a binary heap for timers, signalfd for signals, pidfd for children. One thread owns a loop.
 *
 * A watcher that is freed while events are being handed out is only marked, since a later event of the same turn may still point to
 * it; the end of the turn frees it. A descriptor that epoll does not take (a regular file) counts as always ready.
 * Cost: a timer O(log n), a watcher O(1).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stint/base.h>

struct stint_watch_fd {
	struct stint_loop *loop;
	int fd, events;
	bool in_epoll, always_ready, dead;
	void (*handler)(void *user, int fd, int events);
	void *user;
	struct stint_watch_fd *next; /* among the always ready, or the dead */
};

struct stint_timer {
	struct stint_loop *loop;
	void (*handler)(void *user);
	void *user;
	int64_t due_us;
	uint64_t order; /* of setting: equal times fire in it */
	size_t at; /* place in the heap, plus one; 0: not running */
};

struct signal_handler {
	void (*handler)(void *user, int signal_number);
	void *user;
};

struct stint_loop {
	int epoll_fd;
	bool stopped;
	int turns; /* under way: more than one when a handler steps the loop itself */
	struct stint_timer **heap;
	size_t heap_count, heap_capacity;
	uint64_t order;
	struct stint_watch_fd *always, *dead;
	int signal_fd;
	struct stint_watch_fd *signal_watch;
	sigset_t signals;
	struct signal_handler signal_handlers[_NSIG];
};

struct stint_child {
	int pid_fd;
	pid_t pid;
	struct stint_watch_fd *watch;
	void (*handler)(void *user, pid_t pid, int wait_status);
	void *user;
};

struct stint_loop *stint_loop_new(struct stint_error **err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		stint_fail_errno(err, errno, "cannot make an event loop");
		return NULL;
	}
	struct stint_loop *loop = stint_alloc(sizeof(*loop));
	loop->epoll_fd = fd;
	loop->signal_fd = -1;
	sigemptyset(&loop->signals);
	return loop;
}

static void bury(struct stint_loop *loop)
{
	while (loop->dead) {
		struct stint_watch_fd *watch = loop->dead;
		loop->dead = watch->next;
		free(watch);
	}
}

void stint_loop_free(struct stint_loop *loop)
{
	if (!loop)
		return;
	stint_fd_unwatch(loop->signal_watch);
	stint_close_fd(&loop->signal_fd);
	bury(loop);
	free(loop->heap);
	stint_close_fd(&loop->epoll_fd);
	free(loop);
}

void stint_loop_stop(struct stint_loop *loop)
{
	loop->stopped = true;
}

/* ---- descriptors ---- */

static void unlink_always_ready(struct stint_watch_fd *watch)
{
	for (struct stint_watch_fd **at = &watch->loop->always; *at; at = &(*at)->next) {
		if (*at == watch) {
			*at = watch->next;
			break;
		}
	}
	watch->always_ready = false;
}

void stint_fd_set(struct stint_watch_fd *watch, int events)
{
	struct stint_loop *loop = watch->loop;
	struct epoll_event wanted = {.data.ptr = watch};
	wanted.events = (events & STINT_READ ? (uint32_t)EPOLLIN : 0) | (events & STINT_WRITE ? (uint32_t)EPOLLOUT : 0);
	watch->events = events;
	if (watch->always_ready && events == 0)
		unlink_always_ready(watch);
	if (watch->always_ready)
		return;
	if (events == 0) {
		/* Out of the set altogether: epoll reports a hang-up even to those who asked for nothing. */
		if (watch->in_epoll)
			epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, &wanted);
		watch->in_epoll = false;
	} else if (watch->in_epoll) {
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &wanted);
	} else if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &wanted) == 0) {
		watch->in_epoll = true;
	} else {
		watch->always_ready = true;
		watch->next = loop->always;
		loop->always = watch;
	}
}

struct stint_watch_fd *stint_fd_watch(
	struct stint_loop *loop, int fd, int events, void (*handler)(void *user, int fd, int events), void *user)
{
	struct stint_watch_fd *watch = stint_alloc(sizeof(*watch));
	watch->loop = loop;
	watch->fd = fd;
	watch->handler = handler;
	watch->user = user;
	stint_fd_set(watch, events);
	return watch;
}

void stint_fd_unwatch(struct stint_watch_fd *watch)
{
	if (!watch)
		return;
	stint_fd_set(watch, 0);
	watch->dead = true;
	watch->next = watch->loop->dead;
	watch->loop->dead = watch;
}

/* ---- timers ---- */

static bool earlier(const struct stint_timer *a, const struct stint_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put_at(struct stint_loop *loop, size_t at, struct stint_timer *timer)
{
	loop->heap[at] = timer;
	timer->at = at + 1;
}

static void sift_up(struct stint_loop *loop, size_t at)
{
	struct stint_timer *timer = loop->heap[at];
	for (; at > 0 && earlier(timer, loop->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put_at(loop, at, loop->heap[(at - 1) / 2]);
	put_at(loop, at, timer);
}

static void sift_down(struct stint_loop *loop, size_t at)
{
	struct stint_timer *timer = loop->heap[at];
	for (size_t child; (child = 2 * at + 1) < loop->heap_count; at = child) {
		if (child + 1 < loop->heap_count && earlier(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!earlier(loop->heap[child], timer))
			break;
		put_at(loop, at, loop->heap[child]);
	}
	put_at(loop, at, timer);
}

struct stint_timer *stint_timer_new(struct stint_loop *loop, void (*handler)(void *user), void *user)
{
	struct stint_timer *timer = stint_alloc(sizeof(*timer));
	timer->loop = loop;
	timer->handler = handler;
	timer->user = user;
	return timer;
}

void stint_timer_stop(struct stint_timer *timer)
{
	if (timer->at == 0)
		return;
	struct stint_loop *loop = timer->loop;
	size_t at = timer->at - 1;
	timer->at = 0;
	struct stint_timer *last = loop->heap[--loop->heap_count];
	if (last == timer)
		return;
	put_at(loop, at, last);
	sift_up(loop, at);
	sift_down(loop, last->at - 1);
}

void stint_timer_set(struct stint_timer *timer, int64_t delay_ms)
{
	struct stint_loop *loop = timer->loop;
	stint_timer_stop(timer);
	timer->due_us = stint_monotonic_us() + (delay_ms > 0 ? delay_ms : 0) * 1000;
	timer->order = ++loop->order;
	stint_grow(&loop->heap, &loop->heap_capacity, loop->heap_count + 1, sizeof(*loop->heap));
	put_at(loop, loop->heap_count++, timer);
	sift_up(loop, loop->heap_count - 1);
}

bool stint_timer_active(const struct stint_timer *timer)
{
	return timer->at != 0;
}

void stint_timer_free(struct stint_timer *timer)
{
	if (!timer)
		return;
	stint_timer_stop(timer);
	free(timer);
}

/* Timers that a handler sets meanwhile wait for the next turn, so that one that sets itself to 0 cannot starve the descriptors. */
static void fire_timers(struct stint_loop *loop)
{
	int64_t now = stint_monotonic_us();
	uint64_t last_order = loop->order;
	while (loop->heap_count > 0 && !loop->stopped) {
		struct stint_timer *timer = loop->heap[0];
		if (timer->due_us > now || timer->order > last_order)
			return;
		stint_timer_stop(timer);
		timer->handler(timer->user);
	}
}

/* ---- signals and children ---- */

static void on_signals(void *user, int fd, int events)
{
	struct stint_loop *loop = user;
	struct signalfd_siginfo info;
	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		const struct signal_handler *handler = &loop->signal_handlers[info.ssi_signo];
		if (handler->handler)
			handler->handler(handler->user, (int)info.ssi_signo);
	}
}

bool stint_signal_watch(
	struct stint_loop *loop, int signal_number, void (*handler)(void *user, int signal_number), void *user, struct stint_error **err)
{
	if (signal_number <= 0 || signal_number >= _NSIG)
		return stint_fail(err, STINT_FAILED, "there is no signal %d", signal_number);
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, signal_number);
	if (handler)
		sigaddset(&loop->signals, signal_number);
	else
		sigdelset(&loop->signals, signal_number);
	int fd = signalfd(loop->signal_fd, &loop->signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return stint_fail_errno(err, errno, "cannot watch signal %d", signal_number);
	loop->signal_fd = fd;
	loop->signal_handlers[signal_number] = (struct signal_handler){handler, user};
	sigprocmask(handler ? SIG_BLOCK : SIG_UNBLOCK, &one, NULL);
	if (!loop->signal_watch)
		loop->signal_watch = stint_fd_watch(loop, fd, STINT_READ, on_signals, loop);
	return true;
}

static void on_child(void *user, int fd, int events)
{
	struct stint_child *child = user;
	(void)fd;
	(void)events;
	int status = 0;
	const pid_t reaped = waitpid(child->pid, &status, WNOHANG);
	if (reaped == 0)
		return;
	if (reaped < 0)
		status = STINT_CHILD_LOST << 8; /* somebody else has reaped it: how it ended is not known, and unknown is not well */
	void (*handler)(void *, pid_t, int) = child->handler;
	void *handler_user = child->user;
	pid_t pid = child->pid;
	stint_child_unwatch(child);
	handler(handler_user, pid, status);
}

struct stint_child *stint_child_watch(
	struct stint_loop *loop, pid_t pid, void (*handler)(void *user, pid_t pid, int wait_status), void *user, struct stint_error **err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0) {
		stint_fail_errno(err, errno, "cannot watch process %d", (int)pid);
		return NULL;
	}
	struct stint_child *child = stint_alloc(sizeof(*child));
	child->pid_fd = fd;
	child->pid = pid;
	child->handler = handler;
	child->user = user;
	child->watch = stint_fd_watch(loop, fd, STINT_READ, on_child, child);
	return child;
}

void stint_child_unwatch(struct stint_child *child)
{
	if (!child)
		return;
	stint_fd_unwatch(child->watch);
	stint_close_fd(&child->pid_fd);
	free(child);
}

/* ---- the turn ---- */

static int sleep_ms(const struct stint_loop *loop, int64_t timeout_ms)
{
	if (loop->always || loop->stopped)
		return 0;
	int64_t wait = timeout_ms;
	if (loop->heap_count > 0) {
		int64_t due = (loop->heap[0]->due_us - stint_monotonic_us() + 999) / 1000;
		due = due > 0 ? due : 0;
		wait = wait < 0 || due < wait ? due : wait;
	}
	return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void hand_out(struct stint_watch_fd *watch, int events)
{
	events &= watch->events;
	if (!watch->dead && events != 0)
		watch->handler(watch->user, watch->fd, events);
}

static void hand_out_always_ready(struct stint_loop *loop)
{
	struct stint_watch_fd *next;
	for (struct stint_watch_fd *watch = loop->always; watch; watch = next) {
		next = watch->next;
		hand_out(watch, STINT_READ | STINT_WRITE);
		/* The handler may have changed the list behind us: the rest has its turn in the next one. */
		if (!next || !next->always_ready || next->dead)
			break;
	}
}

bool stint_loop_step(struct stint_loop *loop, int64_t timeout_ms)
{
	loop->turns++;
	struct epoll_event ready[64];
	int count = epoll_wait(loop->epoll_fd, ready, STINT_COUNT(ready), sleep_ms(loop, timeout_ms));
	for (int i = 0; i < count && !loop->stopped; i++) {
		uint32_t got = ready[i].events;
		int events = (got & EPOLLIN ? STINT_READ : 0) | (got & EPOLLOUT ? STINT_WRITE : 0);
		if (got & (EPOLLERR | EPOLLHUP))
			events |= STINT_READ | STINT_WRITE;
		hand_out(ready[i].data.ptr, events);
	}
	hand_out_always_ready(loop);
	fire_timers(loop);
	if (--loop->turns == 0)
		bury(loop);
	return !loop->stopped;
}

void stint_loop_run(struct stint_loop *loop)
{
	loop->stopped = false;
	while (stint_loop_step(loop, -1))
		;
}
