// @ts-nocheck
function stryNS_9fa48() {
  var g = typeof globalThis === 'object' && globalThis && globalThis.Math === Math && globalThis || new Function("return this")();
  var ns = g.__stryker__ || (g.__stryker__ = {});
  if (ns.activeMutant === undefined && g.process && g.process.env && g.process.env.__STRYKER_ACTIVE_MUTANT__) {
    ns.activeMutant = g.process.env.__STRYKER_ACTIVE_MUTANT__;
  }
  function retrieveNS() {
    return ns;
  }
  stryNS_9fa48 = retrieveNS;
  return retrieveNS();
}
stryNS_9fa48();
function stryCov_9fa48() {
  var ns = stryNS_9fa48();
  var cov = ns.mutantCoverage || (ns.mutantCoverage = {
    static: {},
    perTest: {}
  });
  function cover() {
    var c = cov.static;
    if (ns.currentTestId) {
      c = cov.perTest[ns.currentTestId] = cov.perTest[ns.currentTestId] || {};
    }
    var a = arguments;
    for (var i = 0; i < a.length; i++) {
      c[a[i]] = (c[a[i]] || 0) + 1;
    }
  }
  stryCov_9fa48 = cover;
  cover.apply(null, arguments);
}
function stryMutAct_9fa48(id) {
  var ns = stryNS_9fa48();
  function isActive(id) {
    if (ns.activeMutant === id) {
      if (ns.hitCount !== void 0 && ++ns.hitCount > ns.hitLimit) {
        throw new Error('Stryker: Hit count limit reached (' + ns.hitCount + ')');
      }
      return true;
    }
    return false;
  }
  stryMutAct_9fa48 = isActive;
  return isActive(id);
}
import type { Failure } from '../failure.ts';
export interface RetryPolicy {
  /** Most attempts of a run, the first included. */
  attempts: number;
  /** Wait before the second attempt; doubled for each further one. */
  backoffMs: number;
}
export type RetryDecision = {
  verdict: 'retry';
  at: Date;
} | {
  verdict: 'wait';
} | {
  verdict: 'stop';
};
const MAX_BACKOFF_MS = stryMutAct_9fa48("8") ? 60 / 60_000 : (stryCov_9fa48("8"), 60 * 60_000);
/** The longest wait that somebody else may ask for: what they say is a number from outside. */
const MAX_ASKED_MS = stryMutAct_9fa48("9") ? 24 * 60 / 60_000 : (stryCov_9fa48("9"), (stryMutAct_9fa48("10") ? 24 / 60 : (stryCov_9fa48("10"), 24 * 60)) * 60_000);
const JITTER = 0.2;
/** A worker that dies is not the run's fault: this many lost attempts come on top of the policy's. */
const LOST_ATTEMPTS = 5;

/**
 * Says what follows a failed attempt.
 * `attempt` is the number of the one that failed, from 1; `random` is in [0, 1) and spreads retries by up to 20 %.
 */
export function decideRetry(failure: Pick<Failure, 'code' | 'retry' | 'retryAfterMs'>, attempt: number, policy: RetryPolicy, now: Date, random = Math.random()): RetryDecision {
  if (stryMutAct_9fa48("11")) {
    {}
  } else {
    stryCov_9fa48("11");
    if (stryMutAct_9fa48("14") ? failure.retry !== 'after-connection' : stryMutAct_9fa48("13") ? false : stryMutAct_9fa48("12") ? true : (stryCov_9fa48("12", "13", "14"), failure.retry === (stryMutAct_9fa48("15") ? "" : (stryCov_9fa48("15"), 'after-connection')))) return stryMutAct_9fa48("16") ? {} : (stryCov_9fa48("16"), {
      verdict: stryMutAct_9fa48("17") ? "" : (stryCov_9fa48("17"), 'wait')
    });
    if (stryMutAct_9fa48("20") ? failure.retry !== 'never' : stryMutAct_9fa48("19") ? false : stryMutAct_9fa48("18") ? true : (stryCov_9fa48("18", "19", "20"), failure.retry === (stryMutAct_9fa48("21") ? "" : (stryCov_9fa48("21"), 'never')))) return stryMutAct_9fa48("22") ? {} : (stryCov_9fa48("22"), {
      verdict: stryMutAct_9fa48("23") ? "" : (stryCov_9fa48("23"), 'stop')
    });
    const lost = stryMutAct_9fa48("26") ? failure.code !== 'WORKER_LOST' : stryMutAct_9fa48("25") ? false : stryMutAct_9fa48("24") ? true : (stryCov_9fa48("24", "25", "26"), failure.code === (stryMutAct_9fa48("27") ? "" : (stryCov_9fa48("27"), 'WORKER_LOST')));
    if (stryMutAct_9fa48("31") ? attempt < policy.attempts + (lost ? LOST_ATTEMPTS : 0) : stryMutAct_9fa48("30") ? attempt > policy.attempts + (lost ? LOST_ATTEMPTS : 0) : stryMutAct_9fa48("29") ? false : stryMutAct_9fa48("28") ? true : (stryCov_9fa48("28", "29", "30", "31"), attempt >= (stryMutAct_9fa48("32") ? policy.attempts - (lost ? LOST_ATTEMPTS : 0) : (stryCov_9fa48("32"), policy.attempts + (lost ? LOST_ATTEMPTS : 0))))) return stryMutAct_9fa48("33") ? {} : (stryCov_9fa48("33"), {
      verdict: stryMutAct_9fa48("34") ? "" : (stryCov_9fa48("34"), 'stop')
    });
    if (stryMutAct_9fa48("36") ? false : stryMutAct_9fa48("35") ? true : (stryCov_9fa48("35", "36"), lost)) return stryMutAct_9fa48("37") ? {} : (stryCov_9fa48("37"), {
      verdict: stryMutAct_9fa48("38") ? "" : (stryCov_9fa48("38"), 'retry'),
      at: now
    });
    const backoffMs = stryMutAct_9fa48("39") ? Math.min(policy.backoffMs * 2 ** (attempt - 1), MAX_BACKOFF_MS) / (1 + JITTER * random) : (stryCov_9fa48("39"), (stryMutAct_9fa48("40") ? Math.max(policy.backoffMs * 2 ** (attempt - 1), MAX_BACKOFF_MS) : (stryCov_9fa48("40"), Math.min(stryMutAct_9fa48("41") ? policy.backoffMs / 2 ** (attempt - 1) : (stryCov_9fa48("41"), policy.backoffMs * 2 ** (stryMutAct_9fa48("42") ? attempt + 1 : (stryCov_9fa48("42"), attempt - 1))), MAX_BACKOFF_MS))) * (stryMutAct_9fa48("43") ? 1 - JITTER * random : (stryCov_9fa48("43"), 1 + (stryMutAct_9fa48("44") ? JITTER / random : (stryCov_9fa48("44"), JITTER * random)))));
    return stryMutAct_9fa48("45") ? {} : (stryCov_9fa48("45"), {
      verdict: stryMutAct_9fa48("46") ? "" : (stryCov_9fa48("46"), 'retry'),
      at: new Date(stryMutAct_9fa48("47") ? now.getTime() - Math.round(Math.max(backoffMs, askedMs(failure.retryAfterMs))) : (stryCov_9fa48("47"), now.getTime() + Math.round(stryMutAct_9fa48("48") ? Math.min(backoffMs, askedMs(failure.retryAfterMs)) : (stryCov_9fa48("48"), Math.max(backoffMs, askedMs(failure.retryAfterMs))))))
    });
  }
}

/** What was asked for, as far as it is a time to wait. */
function askedMs(retryAfterMs: number | undefined): number {
  if (stryMutAct_9fa48("49")) {
    {}
  } else {
    stryCov_9fa48("49");
    if (stryMutAct_9fa48("52") ? retryAfterMs === undefined && Number.isNaN(retryAfterMs) : stryMutAct_9fa48("51") ? false : stryMutAct_9fa48("50") ? true : (stryCov_9fa48("50", "51", "52"), (stryMutAct_9fa48("54") ? retryAfterMs !== undefined : stryMutAct_9fa48("53") ? false : (stryCov_9fa48("53", "54"), retryAfterMs === undefined)) || Number.isNaN(retryAfterMs))) return 0;
    return stryMutAct_9fa48("55") ? Math.max(retryAfterMs, MAX_ASKED_MS) : (stryCov_9fa48("55"), Math.min(retryAfterMs, MAX_ASKED_MS));
  }
}