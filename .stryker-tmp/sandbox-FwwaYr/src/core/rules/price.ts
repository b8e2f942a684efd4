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
import type { Usage } from '../run.ts';

/** USD for a million tokens of each kind. */
export interface Price {
  input: number;
  cachedInput: number;
  output: number;
}
const MILLION = 1_000_000;

/** Cost in USD. Cached input tokens are part of the input tokens and are charged at their own price. */
export function costOf(usage: Usage, price: Price): number {
  if (stryMutAct_9fa48("0")) {
    {}
  } else {
    stryCov_9fa48("0");
    const fresh = stryMutAct_9fa48("1") ? usage.inputTokens + usage.cachedTokens : (stryCov_9fa48("1"), usage.inputTokens - usage.cachedTokens);
    return stryMutAct_9fa48("2") ? (fresh * price.input + usage.cachedTokens * price.cachedInput + usage.outputTokens * price.output) * MILLION : (stryCov_9fa48("2"), (stryMutAct_9fa48("3") ? fresh * price.input + usage.cachedTokens * price.cachedInput - usage.outputTokens * price.output : (stryCov_9fa48("3"), (stryMutAct_9fa48("4") ? fresh * price.input - usage.cachedTokens * price.cachedInput : (stryCov_9fa48("4"), (stryMutAct_9fa48("5") ? fresh / price.input : (stryCov_9fa48("5"), fresh * price.input)) + (stryMutAct_9fa48("6") ? usage.cachedTokens / price.cachedInput : (stryCov_9fa48("6"), usage.cachedTokens * price.cachedInput)))) + (stryMutAct_9fa48("7") ? usage.outputTokens / price.output : (stryCov_9fa48("7"), usage.outputTokens * price.output)))) / MILLION);
  }
}