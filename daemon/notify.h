/* SPDX-License-Identifier: MIT */
/*
 * notify.h - tells the service manager how it goes (sd_notify(3)). Without one,
 * or without libsystemd, nothing of it does anything.
 */
#ifndef TUND_NOTIFY_H
#define TUND_NOTIFY_H

/* Ready, also after a reload; `status` is shown by systemctl. */
__attribute__((format(printf, 1, 2))) void notify_ready(const char *status,
							...);

/* A reload begins; notify_ready() is its end, whatever came of it. */
void notify_reloading(void);

void notify_stopping(void);

/*
 * How often notify_alive() is to be called, in milliseconds; 0: never. It is
 * for the thread whose life is in question to call it.
 */
unsigned int notify_watchdog_ms(void);
void notify_alive(void *unused);

/* A listening socket that the service manager has made for us, or -1. */
int notify_listen_fd(void);

#endif
