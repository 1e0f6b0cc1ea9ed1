export function Stations() { return <div class="page">Stations</div>; }
