"""What becomes of a wave on its way: spreading, absorption, scattering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

from zilzal.core.arrays import Array
from zilzal.core.pick import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """Rock as the amplitudes need it; travel times come from the earth model.

    The defaults are those of ordinary crust, as in Sato, Fehler & Maeda (2012), Seismic wave
    propagation and scattering in the heterogeneous earth, chapters 3 and 5.

    Args:
        p_velocity_m_per_s: at the source.
        s_velocity_m_per_s: at the source.
        surface_ratio: velocity at the surface over that at the source; bends rays upright.
        density_kg_per_m3: at the source.
        stress_drop_pa: median of the sources.
        s_quality: Q of S at 1 Hz; P has `quality_ratio` times it.
        quality_exponent: Q grows with this power of the frequency above 1 Hz.
        quality_ratio: Q of P over Q of S.
        kappa_s: absorption under the site, for S.
        kappa_ratio: that of P over that of S.
        coda_quality: Qc at 1 Hz, with the same exponent.
        s_scattering_per_m: total scattering coefficient g0 of S.
        p_scattering_per_m: the same for P, with what is converted to S.
        forward_energy: energy scattered under the site, over that which comes to it.
        forward_path_m: over which the direct wave hands 1 - 1/e of its energy to waves scattered
            close to its ray.
        forward_s: how long that lasts (1/e) near the source.
        forward_s_per_m: how much longer per metre of path.
        sp_conversion: largest amplitude on the vertical, over that of S, of what S becomes P
            under the station, and so comes before it.
    """

    p_velocity_m_per_s: float = 6_000.0
    s_velocity_m_per_s: float = 3_464.0
    surface_ratio: float = 0.6
    density_kg_per_m3: float = 2_700.0
    stress_drop_pa: float = 3e6
    s_quality: float = 150.0
    quality_exponent: float = 0.6
    quality_ratio: float = 1.0
    kappa_s: float = 0.04
    kappa_ratio: float = 0.8
    coda_quality: float = 150.0
    s_scattering_per_m: float = 2e-5
    p_scattering_per_m: float = 8e-5
    forward_energy: float = 2.5
    forward_path_m: float = 40_000.0
    forward_s: float = 0.25
    forward_s_per_m: float = 1.2e-5
    sp_conversion: float = 0.15

    def velocity_m_per_s(self, phase: Phase) -> float:
        """Of a phase, at the source."""
        return self.p_velocity_m_per_s if phase is Phase.P else self.s_velocity_m_per_s

    def quality(
        self, phase: Phase, frequency_hz: Float[Array, " frequency"]
    ) -> Float[Array, " frequency"]:
        """Q of the direct wave."""
        at_1_hz = self.s_quality * (self.quality_ratio if phase is Phase.P else 1.0)
        return at_1_hz * np.maximum(frequency_hz, 1.0) ** self.quality_exponent


def far_field_scale(medium: Medium, phase: Phase, moment_n_m: float, distance_m: float) -> float:
    """Low-frequency displacement spectrum [m s] for a radiation pattern of 1, at the surface.

    M0 / (4 pi rho v^3 r), doubled by the free surface, and raised by the root of the velocities'
    ratio, since slower rock must move more to carry the same energy.

    Source:
        Aki & Richards (2002), equation 4.32; the doubling is exact for upright rays; Boore &
        Joyner (1997), doi:10.1785/BSSA0870020327, for the ratio.
    """
    velocity = medium.velocity_m_per_s(phase)
    surface = 2 / np.sqrt(medium.surface_ratio)
    return float(
        surface * moment_n_m / (4 * np.pi * medium.density_kg_per_m3 * velocity**3 * distance_m)
    )


def absorb(
    medium: Medium,
    phase: Phase,
    frequency_hz: Float[Array, " frequency"],
    travel_time_s: float,
    kappa_s: float,
) -> Float[Array, " frequency"]:
    """What absorption leaves of the amplitude: exp(-pi f (t / Q(f) + kappa)).

    Source:
        Anderson & Hough (1984), doi:10.1785/BSSA0740051969, for kappa.
    """
    site_s = kappa_s * (medium.kappa_ratio if phase is Phase.P else 1.0)
    quality = medium.quality(phase, frequency_hz)
    return np.exp(-np.pi * frequency_hz * (travel_time_s / quality + site_s))


def minimum_phase(amplitude: Float[Array, " frequency"]) -> Complex[Array, " frequency"]:
    """The causal spectrum of a given modulus whose energy comes soonest: a sharp onset at zero.

    Args:
        amplitude: at `rfftfreq` of an even length, above zero.

    Source:
        Oppenheim & Schafer, Discrete-time signal processing, section on the complex cepstrum:
        the anticausal half of the real cepstrum is folded onto the causal one.
    """
    length = 2 * (len(amplitude) - 1)
    cepstrum = np.fft.irfft(np.log(amplitude), length)
    cepstrum[1 : length // 2] *= 2
    cepstrum[length // 2 + 1 :] = 0
    return np.exp(np.fft.rfft(cepstrum))


def direct_energy(medium: Medium, phase: Phase, travel_time_s: float) -> float:
    """Share of a wave's energy that is still on its ray."""
    path_m = medium.velocity_m_per_s(phase) * travel_time_s
    return float(np.exp(-path_m / medium.forward_path_m))


def scattered_power_per_s(
    medium: Medium,
    phase: Phase,
    arrival_s: float,
    time_s: Float[Array, " sample"],
    frequency_hz: float,
) -> Float[Array, " sample"]:
    """Power of the waves that were scattered on the way, over the energy that was sent.

    Energy scattered forward swells and decays within a second or so, longer with distance, which
    broadens S as it is seen to be (Saito et al. 2002, doi:10.1029/2001JB000264). Behind it
    comes the coda of single isotropic scattering, g v K(t / ta) exp(-2 pi f (t - ta) / Qc), with
    K(x) = (1/x) ln((x + 1) / (x - 1)); it falls as t^-2 exp(-2 pi f t / Qc) in the end, as the
    coda of Aki and Chouet does.

    Args:
        medium: the rock.
        phase: whose coda.
        arrival_s: travel time ta of the direct wave.
        time_s: after the origin.
        frequency_hz: centre of the band.

    Source:
        Aki & Chouet (1975), doi:10.1029/JB080i023p03322; Sato (1977),
        doi:10.4294/jpe1952.25.27, for K.
    """
    late_s = time_s - arrival_s
    after = late_s > 0
    # K has a logarithmic pole at the arrival; a tenth of a second takes it off.
    x = np.where(after, 1 + np.maximum(late_s, 0.1) / arrival_s, 2.0)
    kernel = np.log((x + 1) / (x - 1)) / x
    quality = medium.coda_quality * max(frequency_hz, 1.0) ** medium.quality_exponent
    per_m = medium.p_scattering_per_m if phase is Phase.P else medium.s_scattering_per_m
    velocity = medium.velocity_m_per_s(phase)
    coda = per_m * velocity * kernel * np.exp(-2 * np.pi * frequency_hz * late_s / quality)
    lasts_s = medium.forward_s + medium.forward_s_per_m * velocity * arrival_s
    energy = medium.forward_energy + 1 - direct_energy(medium, phase, arrival_s)
    delay = np.maximum(late_s, 0) / lasts_s
    forward = energy / lasts_s * delay * np.exp(-delay)
    return np.where(after, coda + forward, 0.0)
