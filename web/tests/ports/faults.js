// Makes IndexedDB fail at one operation, as browsers do. Operations are numbered in the order in which the product asks
// for them. An expression: the injector, with `arm(at, how, names)` and `disarm()`.
(() => {
    const undo = [];
    let at, how, names, seen, hit, loaded;

    // A connection that is closed by force: what runs on it is taken back, nothing more begins, and when all of it has
    // ended the connection says that it is closed, or does not.
    const running = new Map();
    const dead = new Map();
    function kill(database, silently) {
        dead.set(database, silently);
        for (const transaction of running.get(database) ?? []) {
            try { transaction.abort(); } catch { /* It is being committed. */ }
        }
        bury(database);
    }
    function bury(database) {
        if (!dead.has(database) || running.get(database)?.size) return;
        database.close();
        if (!dead.get(database)) database.dispatchEvent(new Event('close'));
    }

    function full(transaction) {
        Object.defineProperty(transaction, 'error', { value: new DOMException('Quota exceeded.', 'QuotaExceededError') });
        transaction.abort();
    }

    // `of` tells an object's transaction.
    function patch(type, name, of) {
        const original = type.prototype[name];
        undo.push(() => { type.prototype[name] = original; });
        type.prototype[name] = function (...all) {
            const transaction = of(this);
            if (!loaded || (names && !names.includes(name)) || seen++ !== at) return original.apply(this, all);
            hit = name;
            switch (how) {
                case 'throws':
                    kill(transaction?.db ?? this, false);
                    throw new DOMException('The database connection is closing.', 'InvalidStateError');
                case 'closes':
                case 'closes silently': {
                    const answer = original.apply(this, all);
                    const database = transaction?.db ?? this;
                    queueMicrotask(() => kill(database, how === 'closes silently'));
                    return answer;
                }
                case 'is full':
                    throw new DOMException('Quota exceeded.', 'QuotaExceededError');
                case 'is full in the end':
                    full(transaction);
                    return;
                case 'succeeds and says that it failed':
                    // Registered first, so that no other listener gets the event.
                    transaction.addEventListener('complete', (event) => {
                        event.stopImmediatePropagation();
                        kill(transaction.db, true);
                        transaction.dispatchEvent(new Event('abort'));
                    }, { capture: true });
                    return original.apply(this, all);
                case 'never ends':
                    return;
                default:
                    throw new Error(how);
            }
        };
    }

    function patchOpen() {
        const original = IDBFactory.prototype.open;
        undo.push(() => { IDBFactory.prototype.open = original; });
        IDBFactory.prototype.open = function (...all) {
            if (!loaded || (names && !names.includes('open')) || seen++ !== at) return original.apply(this, all);
            hit = 'open';
            if (how === 'throws') throw new DOMException('Internal error opening backing store.', 'UnknownError');
            if (how === 'is full') throw new DOMException('Quota exceeded.', 'QuotaExceededError');
            const request = original.apply(this, all);
            request.addEventListener('success', () => {
                const database = request.result;
                queueMicrotask(() => kill(database, how === 'closes silently'));
            });
            return request;
        };
    }

    function track() {
        const original = IDBDatabase.prototype.transaction;
        undo.push(() => { IDBDatabase.prototype.transaction = original; });
        IDBDatabase.prototype.transaction = function (...all) {
            if (dead.has(this)) throw new DOMException('The database connection is closing.', 'InvalidStateError');
            const transaction = original.apply(this, /** @type {any} */ (all));
            const siblings = running.get(this) ?? new Set();
            running.set(this, siblings.add(transaction));
            const ended = () => { siblings.delete(transaction); bury(this); };
            transaction.addEventListener('complete', ended);
            transaction.addEventListener('abort', ended);
            return transaction;
        };
    }

    return {
        arm(...armed) {
            [at, how, names] = armed;
            [seen, hit, loaded] = [0, '', true];
            patchOpen();
            track();
            patch(IDBDatabase, 'transaction', () => null);
            patch(IDBTransaction, 'objectStore', (transaction) => transaction);
            for (const name of ['get', 'add', 'put', 'delete', 'clear', 'getAll', 'getAllKeys', 'openCursor']) {
                patch(IDBObjectStore, name, (store) => store.transaction);
            }
            patch(IDBCursor, 'continue', (cursor) => cursor.source.transaction);
            patch(IDBTransaction, 'commit', (transaction) => transaction);
        },
        // What has failed, for a test's words.
        now: () => `${hit} ${at} ${how}`,
        // Returns the number of operations, and the name of the one that failed.
        disarm() {
            loaded = false;
            undo.splice(0).reverse().forEach((restore) => restore());
            running.clear();
            dead.clear();
            return [seen, hit];
        },
    };
})()
