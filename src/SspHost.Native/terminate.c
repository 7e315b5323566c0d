/* SIGTERM and SIGINT as a word in memory: the handler runs no managed code and allocates nothing. */
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t terminate_word;

static void on_terminate(int signal_number)
{
    (void)signal_number;
    terminate_word = 1;
}

/* Installs the handler on the first call; returns the word, which becomes 1 when the process should leave. */
volatile sig_atomic_t *ssp_terminate_word(void)
{
    static int installed;
    if (!installed) {
        struct sigaction action = { .sa_handler = on_terminate, .sa_flags = SA_RESTART };
        sigemptyset(&action.sa_mask);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        installed = 1;
    }
    return &terminate_word;
}
