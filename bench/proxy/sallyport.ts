import { Unavailable, type Target, type Upstream } from "./target.ts";
export async function startSallyport(_upstream: Upstream): Promise<Target> {
  throw new Unavailable("sallyport: not there yet");
}
export async function readyMs(_upstream: Upstream): Promise<number> {
  return NaN;
}
