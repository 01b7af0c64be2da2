// The API without a browser: what a test prepares, and what it compares the pages with.

export class Api {
  #address;
  #cookie = '';
  #csrf = '';

  constructor(service) {
    this.#address = service.address.replace('//localhost:', '//127.0.0.1:'); // Node 18 asks ::1 first
  }

  static async signIn(service, person) {
    const api = new Api(service);
    const response = await api.send('POST', '/v1/auth/sign-in', { organisation: service.organisation, email: service.emails[person], password: service.password });
    api.#cookie = response.headers.get('set-cookie').split(';')[0];
    api.#csrf = (await response.json()).csrf_token;
    return api;
  }

  /** The response; anything but 2xx is an error. */
  async send(method, path, body, more = {}) {
    const headers = { Cookie: this.#cookie, 'X-CSRF-Token': this.#csrf, ...more };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const response = await fetch(this.#address + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async get(path) {
    return (await this.send('GET', path)).json();
  }

  async post(path, body) {
    return (await this.send('POST', path, body)).json();
  }

  async bytes(path) {
    return Buffer.from(await (await this.send('GET', path)).arrayBuffer());
  }

  /** The job when it is over: its events end then. */
  async over(job) {
    await (await this.send('GET', `/v1/jobs/${job.id}/events`)).text();
    const ended = await this.get(`/v1/jobs/${job.id}`);
    if (ended.state !== 'succeeded') throw new Error(`${ended.kind} ${ended.state}: ${JSON.stringify(ended.failure)}`);
    return ended;
  }

  /** An archive of everything, or as `body` says. */
  async archive(body = { rows: true }) {
    const { result } = await this.over(await this.post('/v1/archives', body));
    return this.get(`/v1/archives/${result.archive_id}`);
  }

  async workspace(name) {
    return (await this.get('/v1/workspaces')).data.find((each) => each.name === name);
  }

  async reports(workspace) {
    const { id } = await this.workspace(workspace);
    return (await this.get(`/v1/workspaces/${id}/reports`)).data;
  }

  async report(workspace, name) {
    return (await this.reports(workspace)).find((each) => each.name === name);
  }

  /** Keeps the only worker busy until the returned function is called: what is begun after waits for its turn. */
  async occupy(jobs = 60, path = '/v1/audit/verify') {
    const queued = [];
    for (let n = 0; n < jobs; ++n) queued.push(await this.post(path));
    return async () => {
      for (const { id } of queued) await this.send('POST', `/v1/jobs/${id}/cancel`).catch(() => {}); // or over already
    };
  }
}
